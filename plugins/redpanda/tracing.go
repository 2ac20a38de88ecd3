package redpanda

import (
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// parseTracing finds out whether the process traces, and then which topics are doors: what senders wrote there is not
// believed.
func (in *input) parseTracing(conf *service.ParsedConfig, mgr *service.Resources) error {
	if in.tracer = hop.NewTracer(mgr.OtelTracer()); in.tracer == nil {
		return nil
	}
	dir, err := conf.FieldString(riFieldWorkspace)
	if err != nil {
		return err
	}
	set, err := loadTopics(mgr, dir)
	if err != nil {
		return err
	}
	in.doors = map[string]bool{}
	for _, name := range in.topics {
		t, _ := set.Topic(name)
		in.doors[name] = t.Role == topics.Inbound
	}
	return nil
}

// beginSpans begins the span of each traced record of a chunk that is about to be handed out, by offset.
func (in *input) beginSpans(p *partition, c *chunk) map[int64]trace.Span {
	if in.tracer == nil {
		return nil
	}
	spans := map[int64]trace.Span{}
	for _, rec := range c.recs {
		if c.settled[rec.Offset] {
			continue
		}
		span := in.tracer.Process(hop.Record{
			Topic: p.topic, Group: in.group, Partition: p.id, Offset: rec.Offset, Attempt: c.attempt,
			Traceparent: header(rec, hop.HeaderTraceparent),
			Enters:      in.doors[p.topic] || header(rec, stage.HeaderSrcTopic) == nil,
		})
		if span != nil {
			spans[rec.Offset] = span
		}
	}
	return spans
}

func endSpans(spans map[int64]trace.Span, err error) {
	for _, span := range spans {
		hop.End(span, err)
	}
}

// sends are the spans of the records of one batch that are being written, by their place in the batch.
type sends map[int]trace.Span

// beginSends begins the span of each record of a traced event, and names it in the record's headers where they have the
// room: no record is refused because it is traced.
func (o *output) beginSends(batch service.MessageBatch, records []kgo.Record) sends {
	if o.tracer == nil {
		return nil
	}
	s := sends{}
	for i := range records {
		rec := &records[i]
		if rec.Topic == "" {
			continue // settled
		}
		span, traceparent := o.tracer.Send(batch[i], rec.Topic)
		if span == nil {
			continue
		}
		s[i] = span
		bare := rec.Headers
		rec.Headers = append(bare, kgo.RecordHeader{Key: hop.HeaderTraceparent, Value: traceparent})
		if batchSize(rec) > o.limit(rec.Topic) {
			rec.Headers = bare
		}
	}
	return s
}

func (s sends) end(records []kgo.Record, err error) {
	for i, span := range s {
		if err == nil {
			hop.Place(span, records[i].Partition, records[i].Offset)
		}
		hop.End(span, err)
	}
}

// logHops logs the sampled events of a batch that is durable.
func (o *output) logHops(batch service.MessageBatch, records []kgo.Record) {
	if o.hops == nil {
		return
	}
	for i := range records {
		rec := &records[i]
		id := header(rec, stage.MetaEventID)
		if id == nil || !hop.Sampled(o.hops, id) {
			continue
		}
		line := hop.Line{
			EventID: string(id), CorrelationID: string(header(rec, stage.MetaCorrelationID)),
			Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset,
			Destination: string(header(rec, seal.HeaderDestination)), Outcome: "written",
		}
		if at, ok := stage.PositionOf(batch[i]); ok {
			line.Attempt = at.Chunk.Attempt
		}
		o.hops.Write(line)
	}
}

// header returns the value of a record's header; nil if it has none.
func header(rec *kgo.Record, name string) []byte {
	for i := range rec.Headers {
		if rec.Headers[i].Key == name {
			return rec.Headers[i].Value
		}
	}
	return nil
}
