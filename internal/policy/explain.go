package policy

import (
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

const (
	reasonKind     = "the value is not of the declared type"
	reasonRequires = "requires"
	reasonUnlisted = "no rule names the field"
	reasonDropRule = "the rule drops it"
)

// Cause is what made a FieldDecision.
type Cause string

// The causes.
const (
	CauseRule      Cause = "rule"      // the rule says so
	CauseUnlisted  Cause = "unlisted"  // no rule names the field
	CauseRequires  Cause = "requires"  // a further purpose does not hold
	CauseKind      Cause = "kind"      // the value is not of a type that the rule is for
	CauseTransform Cause = "transform" // the transform cannot read the value
)

// FieldDecision explains what happened to one value. It never holds the value.
type FieldDecision struct {
	Path    string // as the policy writes it; names that no contract has read ?
	Verdict string // kept, transformed, dropped or failed
	Cause   Cause
	Reason  string // why it was dropped or failed
	Rule    string // file:line, "" where no rule names the field
	Text    string // the rule as written
	At      uint32 // tape position of a dropped value, which may be a whole object or array; else 0
}

// Explain projects the event with Project's own code and returns its decisions in the order they were taken. The errors are those
// of Project; ask Decide why a whole event is refused.
func (w *Worker) Explain(i int, ix *event.Index, v *consent.Verdict) ([]FieldDecision, error) {
	list := []FieldDecision{}
	w.trace = &list
	defer func() { w.trace = nil }()
	var out Projection
	if _, err := w.Project(i, nil, ix, v, &out); err != nil {
		return nil, err
	}
	return list, nil
}

func (w *Worker) note(f event.Field, a *action, verdict, reason string) {
	d := FieldDecision{Path: w.plan.dict.Path(f), Verdict: verdict, Cause: CauseRule, Reason: reason}
	switch verdict {
	case "failed":
		d.Cause = CauseTransform
	case "dropped":
		d.Cause = CauseRequires
	}
	if a.rule != nil {
		d.Rule, d.Text = a.rule.Where(), a.rule.Text
	}
	*w.trace = append(*w.trace, d)
}

func (w *Worker) noteDropped(i uint32, a *action, reason string) {
	cause := CauseKind
	switch {
	case reason == reasonRequires:
		cause, reason = CauseRequires, w.needReason(a)
	case a.step == drop:
		cause, reason = CauseRule, reasonDropRule
	case a.step == skip:
		cause, reason = CauseUnlisted, reasonUnlisted
	}
	w.note(w.ix.Nodes[i].Field, a, "dropped", reason)
	d := &(*w.trace)[len(*w.trace)-1]
	d.Cause, d.At = cause, i
	if d.Path == "" {
		d.Path = w.unknownPath(i)
	}
}

func (w *Worker) needReason(a *action) string {
	return "requires " + a.rule.Requires + ": " + w.v.Reason(a.need)
}

// unknownPath is the path of a value that no contract has, by the nearest governed container around it.
func (w *Worker) unknownPath(i uint32) string {
	path := ""
	for k := uint32(1); k < i; k++ {
		if n := &w.ix.Nodes[k]; n.Next > i && n.Field != event.NoField {
			path = w.plan.dict.Path(n.Field) + "."
		}
	}
	return path + "?"
}
