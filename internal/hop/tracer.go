package hop

import (
	"context"
	"errors"
	"strconv"

	"github.com/redpanda-data/benthos/v4/public/service"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// Scope names the tracer whose spans are hops. The engine's own spans have another: they quote errors of processors, and
// after a processor that makes several messages of one they hang below the wrong event.
const Scope = "ebbgate"

// Tracer makes the spans of hops. A nil one is off.
type Tracer struct{ tracer trace.Tracer }

// NewTracer returns the tracer of a process, or nil where its configuration has none.
func NewTracer(p trace.TracerProvider) *Tracer {
	if _, off := p.(noop.TracerProvider); off || p == nil {
		return nil
	}
	return &Tracer{p.Tracer(Scope)}
}

// Record is what was read, as far as a span may know it.
type Record struct {
	Topic, Group string
	Partition    int32
	Offset       int64
	Attempt      int
	Traceparent  []byte // the header, or nothing
	// Enters is true where no hop of ours wrote the record. Its sender's ids are then linked and never continued: a sender
	// can neither choose the ids of our traces nor what is sampled.
	Enters bool
}

// Process begins the span of what this process does with a record; nil if the event is not traced. Whether it is was
// decided where it entered.
func (t *Tracer) Process(r Record) trace.Span {
	from, named := readTraceparent(r.Traceparent)
	ctx, opts := context.Background(), []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer)}
	switch {
	case r.Enters && named:
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: from}))
	case r.Enters:
	case named:
		ctx = trace.ContextWithRemoteSpanContext(ctx, from)
	default:
		return nil
	}
	_, span := t.tracer.Start(ctx, "process "+r.Topic, opts...)
	if !span.IsRecording() {
		return nil
	}
	span.SetAttributes(
		attribute.String("messaging.system", "kafka"),
		attribute.String("messaging.destination.name", r.Topic),
		attribute.String("messaging.consumer.group.name", r.Group),
		attribute.Int("ebbgate.attempt", r.Attempt),
	)
	Place(span, r.Partition, r.Offset)
	return span
}

// Send begins the span of writing a message to a topic, and returns the header for its record. The span is nil if the
// event is not traced.
func (t *Tracer) Send(msg *service.Message, topic string) (span trace.Span, traceparent []byte) {
	if span = t.child(msg, "send "+topic, trace.SpanKindProducer); span == nil {
		return nil, nil
	}
	span.SetAttributes(attribute.String("messaging.system", "kafka"), attribute.String("messaging.destination.name", topic))
	return span, appendTraceparent(make([]byte, 0, traceparentSize), span.SpanContext())
}

// Deliver begins a span for each traced event of a batch that is on its way to a destination's store.
func (t *Tracer) Deliver(batch service.MessageBatch, destination string) (spans []trace.Span) {
	if t == nil {
		return nil
	}
	for _, msg := range batch {
		if _, made := stage.Made(msg); made {
			continue
		}
		if span := t.child(msg, "deliver "+destination, trace.SpanKindClient); span != nil {
			span.SetAttributes(attribute.String("ebbgate.destination", destination))
			spans = append(spans, span)
		}
	}
	return spans
}

// child begins a span below that of the event's reading. An event that no topic input read begins a trace of its own.
func (t *Tracer) child(msg *service.Message, name string, kind trace.SpanKind) trace.Span {
	ctx := context.Background()
	at, read := stage.PositionOf(msg)
	if read {
		parent := at.Chunk.Spans[at.Offset]
		if parent == nil {
			return nil
		}
		ctx = trace.ContextWithSpan(ctx, parent)
	}
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	if !span.IsRecording() {
		return nil
	}
	if read {
		span.SetAttributes(attribute.Int("ebbgate.attempt", at.Chunk.Attempt))
	}
	for _, id := range [...]string{stage.MetaEventID, stage.MetaCorrelationID} {
		if text, _ := msg.MetaGet(id); event.ValidID([]byte(text)) {
			span.SetAttributes(attribute.String("ebbgate."+id, text))
		}
	}
	return span
}

// Place says where the record of a span stands in its topic.
func Place(span trace.Span, partition int32, offset int64) {
	span.SetAttributes(
		attribute.String("messaging.destination.partition.id", strconv.Itoa(int(partition))),
		attribute.Int64("messaging.kafka.offset", offset),
	)
}

// End ends a span. Of a failure it tells the code alone: the text of an error may say more than a trace should.
func End(span trace.Span, err error) {
	if err != nil {
		code := "replayed"
		if permanent, ok := errors.AsType[*stage.PermanentError](err); ok {
			code = permanent.Code
		}
		span.SetStatus(codes.Error, code)
	}
	span.End()
}
