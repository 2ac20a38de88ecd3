package docs

import "slices"

func denials(l *ledger) []string {
	type kind struct{ destination, stage, reason, rule, policy string }
	n := counts[kind]{}
	for _, d := range l.decisions {
		if d.Verdict == "denied" {
			n[kind{d.Destination, d.Stage, d.Reason, d.Rule, d.Policy}]++
		}
	}
	return n.lines(func(k kind, n int) string {
		return line(k.destination, k.stage, k.reason, k.rule, k.policy, n)
	})
}

// allOfOne is what was decided of the event that was denied last.
func allOfOne(l *ledger) (out []string) {
	last := ""
	for _, d := range slices.Backward(l.decisions) {
		if d.Verdict == "denied" {
			last = d.EventID
			break
		}
	}
	for _, d := range l.decisions {
		if d.EventID == last {
			out = append(out, line(d.at.UTC(), d.EventID, d.Destination, d.Stage, d.Verdict, d.Reason, d.Rule, d.Policy, d.Version))
		}
	}
	return out
}
