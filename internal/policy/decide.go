package policy

import (
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

// ReasonEvent is why an event does not go to a destination that does not list it, or that no contract declares.
const ReasonEvent = "event.unlisted"

// Gate is the decision about a whole event at one destination.
type Gate struct {
	Allowed bool
	Reason  string // "" when allowed, else consent.marketing=false, suppressed and the like
	Rule    string // the line of the policy that decided, as in policy.yaml:41
}

// Decide says whether the event may go to destination i of the policy at all. Without a verdict for the policy's purposes the answer
// is no. It does not allocate.
func (w *Worker) Decide(i int, ix *event.Index, v *consent.Verdict) Gate {
	t := w.plan.destinations[i]
	switch {
	case v == nil || !v.Purposes.Equal(w.plan.policy.purposes):
		return Gate{Reason: consent.ReasonMissing, Rule: t.wherePurpose}
	case v.Erased:
		return Gate{Reason: consent.ReasonErased, Rule: t.whereUnless}
	case v.Unresolved:
		return Gate{Reason: consent.ReasonUnresolved, Rule: t.whereUnless}
	case !t.takes(ix):
		return Gate{Reason: ReasonEvent, Rule: t.whereEvents}
	case v.Suppressed && t.UnlessSuppressed:
		return Gate{Reason: consent.ReasonSuppressed, Rule: t.whereUnless}
	case !v.Holds(t.need):
		return Gate{Reason: v.Reason(t.need), Rule: t.wherePurpose}
	}
	return Gate{Allowed: true, Rule: t.whereSelf}
}

func (t *target) takes(ix *event.Index) bool {
	var scratch [128]byte
	name, ok := ix.Get(event.EventName)
	return ok && name.Kind() == event.String && t.events[string(name.Text(scratch[:0]))]
}
