package stage

import (
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
)

const (
	fieldMaxFuture = "max_future"
	fieldMaxAge    = "max_age"
)

// TimeLimitFields are the configuration fields that bound an event's timestamp.
func TimeLimitFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewDurationField(fieldMaxFuture).
			Description("How far an event's timestamp may lie in the future before the event is quarantined.").
			Default("24h"),
		service.NewDurationField(fieldMaxAge).
			Description("How old an event's timestamp may be before the event is quarantined.").
			Default("9600h"),
	}
}

// TimeLimits reads those fields.
func TimeLimits(conf *service.ParsedConfig) (limits event.TimeLimits, err error) {
	if limits.Future, err = conf.FieldDuration(fieldMaxFuture); err != nil {
		return limits, err
	}
	limits.Past, err = conf.FieldDuration(fieldMaxAge)
	return limits, err
}

// Address routes a message that holds a valid envelope and stamps its lineage: event id, subject keys, correlation id.
// What was found out about the event rides along.
func (r *Reader) Address(msg *service.Message, ix *event.Index, subject *Subject, topic string) {
	v, _ := ix.Get(event.EventID)
	id := r.text(v)
	correlation := id
	if v, ok := ix.Get(event.CorrelationID); ok {
		correlation = r.text(v)
	}
	msg.MetaSet(MetaEventID, id)
	msg.MetaSet(MetaCorrelationID, correlation)
	msg.MetaSet(MetaSubjectKey, subject.Joined)
	if r.topic != topic {
		r.topic = topic
	}
	msg.MetaSetMut(MetaTopic, r.topic)
	msg.MetaSet(MetaKey, subject.Primary())
	r.Carry(msg, ix, subject)
}

func (r *Reader) text(v event.Value) string {
	var scratch [128]byte
	return r.texts.String(v.Text(scratch[:0]))
}

// ReceivedAt is when the event reached the first topic, which is the same for every retry; without a topic it is now.
func ReceivedAt(msg *service.Message) time.Time {
	if ms, ok := metaInt(msg, MetaKafkaTimestamp, 64); ok {
		return time.UnixMilli(ms).UTC()
	}
	return time.Now().UTC()
}
