package trace

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// receipt keeps a receipt that the id names, and looks for its event from then on. Receipts are read before all events.
func (f *found) receipt(rec *kgo.Record) {
	r, err := receipt.Parse(rec.Value)
	if err != nil || !r.Bears(f.id) {
		return
	}
	f.receipts = append(f.receipts, r)
	if r.Raw != nil {
		f.named[r.EventID] = true
		f.delivered[Position(*r.Raw)] = true
	}
}

// ofDelivery tells whether a record was made from one of the deliveries: a list holds events of other ids than its own. Once one
// is found its later records are known by its id.
func (f *found) ofDelivery(t topics.Topic, rec *kgo.Record) bool {
	if len(f.delivered) == 0 || (t.Role != topics.Raw && t.Role != topics.Quarantine) {
		return false
	}
	came := cameFrom(rec)
	if q, err := quarantine.ParseRecord(rec.Value); t.Role == topics.Quarantine && err == nil {
		came = (*Position)(&q.Ref)
	}
	if came == nil || !f.delivered[*came] {
		return false
	}
	id, _ := f.names(t, rec)
	f.named[id] = true
	return true
}
