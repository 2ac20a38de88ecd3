package policy

import (
	"strconv"
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
)

const noPosition = 0 // no value stands at the root's position

// consentObject appends the consent object as the verdict has it. Position at is the event's own, which supplies source and version
// where no record decided.
func (w *Worker) consentObject(dst []byte, a *action, at uint32) []byte {
	mark := len(dst)
	dst = append(dst, w.t.names[a.name:a.nameEnd]...)
	open := len(dst)
	for k := range w.t.consent {
		c := &w.t.consent[k]
		dst = w.consentValue(dst, c, &w.t.actions[c.field], at)
	}
	w.unkept(at)
	if len(dst) == open {
		return dst[:mark]
	}
	return enclose(dst, open, '{', '}')
}

// unkept counts what the event's own consent object has and no rule keeps.
func (w *Worker) unkept(at uint32) {
	nodes := w.ix.Nodes
	for i := at + 1; at != noPosition && i < nodes[at].Next; i = nodes[i].Next {
		if a := &w.t.actions[nodes[i].Field]; a.step == skip || a.step == drop {
			w.dropped(nil, i, a, "")
		}
	}
}

func (w *Worker) consentValue(dst []byte, c *consentField, a *action, at uint32) []byte {
	if !w.held.Has(a.need) {
		w.out.Dropped++
		if w.trace != nil {
			w.note(c.field, a, "dropped", w.needReason(a))
		}
		return dst
	}
	if c.bit != 0 {
		w.kept(a, c.field)
		dst = append(dst, c.name...)
		return strconv.AppendBool(dst, w.held.Has(c.bit))
	}
	w.text = w.appendVerdict(w.text[:0], c.field)
	if len(w.text) == 0 && at != noPosition && !w.v.Recorded {
		w.text = w.claimed(w.text, c.field, at)
	}
	switch {
	case len(w.text) == 0:
		return dst
	case a.step == mend:
		return w.transformText(dst, w.text, a, c.field, c.name)
	}
	w.kept(a, c.field)
	dst = append(dst, c.name...)
	return event.AppendString(dst, w.text)
}

// appendVerdict appends what the verdict says of source, version or time; nothing when only the event's claim counted.
func (w *Worker) appendVerdict(dst []byte, f event.Field) []byte {
	v := w.v
	switch {
	case f == event.ConsentSource && v.Recorded:
		return append(dst, v.Source...)
	case f == event.ConsentVersion && v.Recorded:
		return strconv.AppendInt(dst, v.Version, 10)
	case f == event.ConsentCheckedAt && !v.CheckedAt.IsZero():
		if !v.CheckedAt.Equal(w.checkedAt) { // the same for a whole batch
			w.checkedAt, w.checkedText = v.CheckedAt, v.CheckedAt.UTC().AppendFormat(w.checkedText[:0], time.RFC3339)
		}
		return append(dst, w.checkedText...)
	}
	return dst
}

// claimed appends the text that the event itself has in its consent object.
func (w *Worker) claimed(dst []byte, f event.Field, at uint32) []byte {
	nodes := w.ix.Nodes
	for i := at + 1; i < nodes[at].Next; i = nodes[i].Next {
		if nodes[i].Field == f && nodes[i].Kind == event.String {
			return append(dst, w.ix.At(int(i)).Text(nil)...)
		}
	}
	return dst
}
