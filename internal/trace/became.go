package trace

import (
	"slices"

	"github.com/ebbgate/ebbgate/internal/receipt"
)

// What became of one delivery attempt, as later records tell.
const (
	BecameRefused   = "refused"   // at the door: nothing of it was kept
	BecameAnswered  = "answered"  // a question of the provider's, no event
	BecameWaiting   = "waiting"   // durable, and no stage has come to it yet
	BecameEvent     = "event"     // became the events of the trace
	BecameDuplicate = "duplicate" // its event came in with another attempt
)

// Receipt is the one whose id was looked up; nil where the id is none of a receipt.
func (t *Trace) Receipt() *receipt.Receipt {
	i := slices.IndexFunc(t.Receipts, func(r *receipt.Receipt) bool { return r.ID == t.ID })
	if i < 0 {
		return nil
	}
	return t.Receipts[i]
}

// Became derives the processing status of a receipt of the trace. A receipt never says it itself.
func (t *Trace) Became(r *receipt.Receipt) string {
	switch {
	case r.Status/100 != 2:
		return BecameRefused
	case r.Raw == nil:
		return BecameAnswered
	}
	raw, known := Position(*r.Raw), false
	for i := range t.Events {
		e := &t.Events[i]
		if slices.ContainsFunc(e.Steps, func(s Step) bool { return s.Came != nil && *s.Came == raw }) {
			return BecameEvent
		}
		known = known || e.EventID == r.EventID && slices.ContainsFunc(e.Steps, func(s Step) bool { return s.Came != nil })
	}
	if known {
		return BecameDuplicate
	}
	return BecameWaiting
}
