package docs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

func status(l *ledger) (out []string) {
	n, last, first := map[string]counts[string]{}, map[string]time.Time{}, map[string]time.Time{}
	for _, f := range l.facts {
		name := f.countedAs()
		if n[name] == nil {
			n[name] = counts[string]{}
		}
		n[name][f.fate]++
		if f.fate != kept {
			continue
		}
		last[name] = f.Time // in order of time
		if first[name].IsZero() || f.row.at.Before(first[name]) {
			first[name] = f.row.at
		}
	}
	for name, n := range n {
		since, newest := "[]", time.Unix(0, 0)
		if n[kept] > 0 {
			since, newest = fmt.Sprintf("[('%s','%s')]", l.ws.Policy.Version, stamp(first[name])), last[name]
		}
		out = append(out, line(name, l.completeThrough(), newest, n[kept], n[refused]+n[withheld], n[broken], since))
	}
	return out
}

// completeThrough is what the slowest partition has reached.
func (l *ledger) completeThrough() (through time.Time) {
	reached := map[int32]time.Time{}
	for _, r := range l.rows {
		if at := l.byID[r.id].said.ReceivedAt; at.After(reached[r.partition]) {
			reached[r.partition] = at
		}
	}
	for _, at := range reached {
		if through.IsZero() || at.Before(through) {
			through = at
		}
	}
	return through
}

func latency(l *ledger) (out []string) {
	type hour struct {
		at   time.Time
		name string
	}
	took := map[hour][]int{}
	var hours []hour
	for _, f := range l.kept() {
		h := hour{f.Time.UTC().Truncate(time.Hour), f.Name}
		if took[h] == nil {
			hours = append(hours, h)
		}
		took[h] = append(took[h], int(f.row.at.Sub(f.Time).Milliseconds()))
	}
	slices.SortFunc(hours, func(a, b hour) int { return cmp.Or(b.at.Compare(a.at), strings.Compare(a.name, b.name)) })
	for _, h := range hours[:20] {
		seconds := func(level float64) float64 { return float64(quantile(took[h], level)) / 1000 }
		out = append(out, line(h.name, h.at.Format(time.DateTime), len(took[h]), seconds(0.5), seconds(0.9), seconds(0.99)))
	}
	return out
}

func coverage(l *ledger) []string {
	in, without, broke, acts := counts[string]{}, counts[string]{}, counts[string]{}, counts[string]{}
	for _, f := range l.facts {
		switch f.fate {
		case kept:
			in[day(f.Time)]++
		case refused:
			without[day(f.Time)]++
		default:
			continue
		}
		acts[day(f.Time)]++
	}
	held := map[string]bool{}
	for _, s := range l.withheld() {
		if !held[s.id] {
			held[s.id] = true
			without[day(l.committed(s.place))]++
			acts[day(l.committed(s.place))]++
		}
	}
	for _, at := range l.quarantined {
		broke[day(at)]++
		acts[day(at)]++
	}
	return acts.lines(func(day string, n int) string {
		return line(day, in[day], without[day], 0, broke[day], n, percent(in[day], n))
	})
}

func consentOfRows(l *ledger) (out []string) {
	type basis struct{ name, source, version string }
	n, campaigns := counts[basis]{}, counts[basis]{}
	var all []basis
	for _, f := range l.kept() {
		b := basis{f.Name, f.said.Consent.Source, f.said.Consent.Version}
		if f.Subject.UserID != "" && len(f.Expect.Withdrawn) > 0 {
			b.source, b.version = "preference_center", "2"
		}
		if n[b] == 0 {
			all = append(all, b)
		}
		n[b]++
		if f.campaign && f.said.Properties.UTMCampaign != nil {
			campaigns[b]++
		}
	}
	slices.SortFunc(all, func(a, b basis) int {
		return cmp.Or(n[b]-n[a], strings.Compare(a.name, b.name), strings.Compare(a.source, b.source), strings.Compare(a.version, b.version))
	})
	for _, b := range all[:min(20, len(all))] {
		out = append(out, line(b.name, b.source, b.version, n[b], percent(campaigns[b], n[b])))
	}
	return out
}

func sinkBooks(l *ledger) []string {
	return []string{line("events.authorized.analytics", len(l.sealed), len(l.rows), len(l.withheld()), 0, 0, 0)}
}

func heldBack(l *ledger) []string {
	n := counts[string]{}
	for _, s := range l.withheld() {
		n[day(l.committed(s.place))]++
	}
	return n.lines(func(day string, n int) string { return line(day, "consent.withdrawn.analytics", n) })
}

func rowsAgainstBooks(l *ledger) []string { return []string{line(len(l.rows), len(l.rows), 0)} }

func sentAgain(l *ledger) []string {
	type kind struct{ source, name string }
	n, extra := counts[kind]{}, counts[kind]{}
	for _, f := range l.kept() {
		if f.copies > 1 {
			k := kind{f.said.Context.Source, f.Name}
			n[k]++
			extra[k] += f.copies - 1
		}
	}
	return n.lines(func(k kind, n int) string { return line(k.source, k.name, n, extra[k]) })
}

func lineage(l *ledger) (out []string) {
	rows := slices.Clone(l.rows)
	slices.SortFunc(rows, func(a, b stored) int {
		return cmp.Or(b.at.Compare(a.at), strings.Compare(a.place.String(), b.place.String()))
	})
	for _, r := range rows[:5] {
		f := l.byID[r.id]
		version := f.said.Consent.Version
		if f.Subject.UserID != "" && len(f.Expect.Withdrawn) > 0 {
			version = "2"
		}
		out = append(out, line(r.id, l.ws.Policy.Version, version, r.place, r.from, r.at))
	}
	return out
}
