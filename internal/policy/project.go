package policy

import (
	"errors"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

// Errors of Project. Nothing is appended with any of them.
var (
	// ErrDenied means that Decide refuses the event at this destination.
	ErrDenied = errors.New("projecting an event: the policy denies it at this destination")
	// ErrForeign means that the event was scanned with another dictionary, or judged for other purposes, than the plan's.
	ErrForeign = errors.New("projecting an event: it was scanned or judged for another policy")
)

// Worker projects events for one goroutine. Its memory is reused from event to event.
type Worker struct {
	plan *Plan

	// Of the projection at hand.
	t            *target
	ix           *event.Index
	v            *consent.Verdict
	held         consent.Mask
	out          *Projection
	consentGiven bool
	relied       [4]uint64 // bit per requirement that went
	trace        *[]FieldDecision

	text, masked []byte            // scratch
	checkedText  []byte            // checkedAt as the consent object says it
	checkedAt    time.Time         // of the verdict before
	headers      map[string]string // requires headers that were built before
}

// Projection counts what Project did; reuse it. Values count once, also when they are whole objects.
type Projection struct {
	Requires    string // header ebbgate_requires
	Kept        int
	Dropped     int
	Transformed int
	Failed      int // transforms that could not read their input; the field is absent
}

// Project appends the event as destination i may see it: re-encoded JSON with only the fields that a rule keeps or transforms, in
// the event's own order. Values inside consent come from the verdict, which is what was relied on, and the object is added where the
// event has none. Objects and arrays of which nothing may go are left out.
//
// It fails, appending nothing, with ErrDenied when Decide refuses the event and with ErrForeign when the index or the verdict
// belongs to another policy. In steady state it does not allocate.
func (w *Worker) Project(i int, dst []byte, ix *event.Index, v *consent.Verdict, out *Projection) ([]byte, error) {
	*out = Projection{}
	if ix.Dict() != w.plan.dict || v == nil || !v.Purposes.Equal(w.plan.policy.purposes) {
		return dst, ErrForeign
	}
	if !w.Decide(i, ix, v).Allowed {
		return dst, ErrDenied
	}
	w.t, w.ix, w.v, w.held, w.out = w.plan.destinations[i], ix, v, v.Held, out
	w.consentGiven = false
	w.relied = [4]uint64{}

	open := len(dst)
	dst = w.members(dst, 0)
	if !w.consentGiven && len(w.t.consent) > 0 {
		dst = w.consentObject(dst, &w.t.actions[event.Consent], noPosition)
	}
	dst = enclose(dst, open, '{', '}')
	out.Requires = w.requires()
	w.t, w.ix, w.v, w.out = nil, nil, nil, nil
	return dst, nil
}

// enclose closes what was appended since open, each part with a comma before it. The first comma becomes the bracket.
func enclose(dst []byte, open int, left, right byte) []byte {
	if len(dst) == open {
		return append(dst, left, right)
	}
	dst[open] = left
	return append(dst, right)
}

// members appends the members of the object at a tape position that may go, a comma before each, and no brackets.
//
// Most events come without white space and escapes, so neighbours that are both kept are copied in one go: from, to is the span of
// the event that is still to be copied.
func (w *Worker) members(dst []byte, at uint32) []byte {
	nodes, buf, actions := w.ix.Nodes, w.ix.Buf, w.t.actions
	from, to := uint32(0), uint32(0)
	for i, end := at+1, nodes[at].Next; i < end; {
		n := &nodes[i]
		a := &actions[n.Field]
		next := n.Next
		if a.step != keep || a.kinds>>n.Kind&1 == 0 || !w.held.Has(a.need) {
			dst = flush(dst, buf, from, to)
			from, to = 0, 0
			dst = w.other(dst, i, a)
			i = next
			continue
		}
		w.out.Kept++
		if a.requirement >= 0 || w.trace != nil {
			w.went(a, n.Field)
		}
		start, stop, plain := span(n)
		switch {
		case plain && start == to+1 && to != 0:
			to = stop
		case plain:
			dst = flush(dst, buf, from, to)
			from, to = start, stop
		default:
			dst = flush(dst, buf, from, to)
			from, to = 0, 0
			dst = append(dst, w.t.names[a.name:a.nameEnd]...)
			dst = event.AppendValue(dst, w.ix.At(int(i)))
		}
		i = next
	}
	return flush(dst, buf, from, to)
}

func flush(dst, buf []byte, from, to uint32) []byte {
	if from == to {
		return dst
	}
	dst = append(dst, ',')
	return append(dst, buf[from:to]...)
}

// span is the member's text in the event, name and value. plain is false when that is not how it would be encoded: escapes, white
// space, or an object or array.
func span(n *event.Node) (start, stop uint32, plain bool) {
	quote := uint32(0)
	if n.Kind == event.String {
		quote = 1
	}
	plain = n.Flags&(event.KeyEscaped|event.ValueEscaped) == 0 && n.Kind <= event.String && n.Start-n.KeyEnd == 2+quote
	return n.KeyStart - 1, n.End + quote, plain
}

func (w *Worker) kept(a *action, f event.Field) {
	w.out.Kept++
	w.went(a, f)
}

// went remembers what a kept value relied on.
func (w *Worker) went(a *action, f event.Field) {
	if a.requirement >= 0 {
		w.relied[a.requirement>>6] |= 1 << (a.requirement & 63)
	}
	if w.trace != nil {
		w.note(f, a, "kept", "")
	}
}

// elements is members for an array.
func (w *Worker) elements(dst []byte, at uint32) []byte {
	nodes := w.ix.Nodes
	for i, end := at+1, nodes[at].Next; i < end; i = nodes[i].Next {
		n := &nodes[i]
		a := &w.t.actions[n.Field]
		if a.step == keep && a.kinds>>n.Kind&1 != 0 && w.held.Has(a.need) {
			w.kept(a, n.Field)
			dst = append(dst, ',')
			dst = event.AppendValue(dst, w.ix.At(int(i)))
		} else {
			dst = w.other(dst, i, a)
		}
	}
	return dst
}

// other does everything that is not copying a value.
func (w *Worker) other(dst []byte, i uint32, a *action) []byte {
	n := &w.ix.Nodes[i]
	switch {
	case a.step == subject:
		w.consentGiven = true
		return w.consentObject(dst, a, i)
	case a.step == skip || a.step == drop:
		return w.dropped(dst, i, a, "")
	case a.kinds>>n.Kind&1 == 0:
		return w.dropped(dst, i, a, reasonKind)
	case !w.held.Has(a.need):
		return w.dropped(dst, i, a, reasonRequires)
	case a.step == mend:
		return w.transform(dst, i, a)
	}
	mark := len(dst)
	dst = append(dst, w.t.names[a.name:a.nameEnd]...)
	open := len(dst)
	left, right := byte('{'), byte('}')
	if a.step == array {
		left, right = '[', ']'
		dst = w.elements(dst, i)
	} else {
		dst = w.members(dst, i)
	}
	if len(dst) == open {
		return dst[:mark]
	}
	return enclose(dst, open, left, right)
}

func (w *Worker) dropped(dst []byte, i uint32, a *action, reason string) []byte {
	w.out.Dropped++
	if w.trace != nil {
		w.noteDropped(i, a, reason)
	}
	return dst
}

// transform appends the value as its rule shows it; a value that the transform cannot read is left out. A null shows nothing and
// stays null.
func (w *Worker) transform(dst []byte, i uint32, a *action) []byte {
	n := &w.ix.Nodes[i]
	if n.Kind == event.Null {
		w.kept(a, n.Field)
		dst = append(dst, w.t.names[a.name:a.nameEnd]...)
		return append(dst, "null"...)
	}
	text := w.ix.Buf[n.Start:n.End]
	if n.Flags&event.ValueEscaped != 0 {
		w.text = w.ix.At(int(i)).Text(w.text[:0])
		text = w.text
	}
	return w.transformText(dst, text, a, n.Field, w.t.names[a.name:a.nameEnd])
}

func (w *Worker) transformText(dst, text []byte, a *action, f event.Field, name []byte) []byte {
	masked, err := a.transform.Append(w.masked[:0], text)
	if err != nil {
		w.out.Failed++
		if w.trace != nil {
			w.note(f, a, "failed", err.Error())
		}
		return dst
	}
	w.masked = masked
	w.out.Transformed++
	if a.requirement >= 0 {
		w.relied[a.requirement>>6] |= 1 << (a.requirement & 63)
	}
	if w.trace != nil {
		w.note(f, a, "transformed", "")
	}
	dst = append(dst, name...)
	return event.AppendString(dst, masked)
}
