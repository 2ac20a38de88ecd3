package redpanda

import (
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// apart makes rec the quarantine record of one destination, whose topic does not take what was sealed for it. The event's
// other records stand, so each destination has one outcome. It holds no payload: the event is where it was read, and
// another policy or limit will make another record of it.
func (w *recordWriter) apart(rec *kgo.Record, msg *service.Message, sealed *seal.Record) bool {
	to, declared := w.out.topics.ByRole(topics.Quarantine)
	ref, ok := stage.Source(msg)
	if !declared || !ok {
		return false
	}
	q := quarantine.New(codeTooLarge, "", stage.StageGovern, ref, sealed.EventID, nil, nil, time.Now())
	q.Destination = sealed.Destination
	begin := len(w.headers)
	*rec = kgo.Record{Topic: to.Name, Value: q.Append(nil)}
	w.quarantineHeaders(rec, q)
	w.lineage(msg)
	rec.Headers = w.headers[begin:len(w.headers):len(w.headers)]
	w.out.metrics.quarantined.Incr(1, q.Stage, q.Code)
	return true
}
