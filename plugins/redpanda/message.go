package redpanda

import (
	"strconv"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// ownMetadata are names that only this process may set. A header of such a name could otherwise route a record, or
// claim a position it does not have.
var ownMetadata = map[string]bool{
	stage.MetaTopic: true, stage.MetaKey: true,
	stage.MetaKafkaTopic: true, stage.MetaKafkaPartition: true, stage.MetaKafkaOffset: true,
	stage.MetaKafkaKey: true, stage.MetaKafkaTimestamp: true,
	hop.HeaderTraceparent: true,
}

// messages makes a batch of a chunk. Everything in it is new but the bytes, which nobody may change: the originals
// serve the next try. Most metadata is worded only when somebody reads it.
func (in *input) messages(p *partition, c *chunk, spans map[int64]trace.Span) service.MessageBatch {
	// What is the same for all messages is boxed once.
	var topic, partition any = p.topic, strconv.Itoa(int(p.id))
	whole := &stage.Chunk{Topic: p.topic, Partition: p.id, First: c.first, Last: c.last, ReplayEpoch: in.replayEpoch, Attempt: c.attempt, Spans: spans}
	positions := make([]stage.Position, len(c.recs))
	batch := make(service.MessageBatch, len(c.recs))
	var origins originReader
	for i, rec := range c.recs {
		positions[i] = stage.Position{Chunk: whole, Offset: rec.Offset, Origin: origins.read(rec)}
		msg := service.NewMessage(rec.Value)
		msg.MetaSetMut(stage.MetaKafkaTopic, topic)
		msg.MetaSetMut(stage.MetaKafkaPartition, partition)
		stage.SetPosition(msg, &positions[i])
		msg.MetaSetImmut(stage.MetaKafkaTimestamp, (*lateTime)(&rec.Timestamp))
		if c.settled[rec.Offset] {
			msg.SetBytes(nil)
			stage.MarkSettled(msg)
		} else {
			setHeaders(msg, rec)
		}
		batch[i] = msg
	}
	return batch
}

func setHeaders(msg *service.Message, rec *kgo.Record) {
	for i := range rec.Headers {
		if name := rec.Headers[i].Key; !ownMetadata[name] && name != "" {
			msg.MetaSetImmut(name, (*lateText)(&rec.Headers[i].Value))
		}
	}
	if rec.Key != nil {
		msg.MetaSetImmut(stage.MetaKafkaKey, (*lateText)(&rec.Key))
	}
}

// lateText is text of a record that is copied only for those who read it.
type lateText []byte

// Copy is what everyone sees.
func (t *lateText) Copy() any { return string(*t) }

// lateTime is a record's time, in milliseconds for those who read it.
type lateTime time.Time

// Copy is what everyone sees.
func (t *lateTime) Copy() any { return strconv.FormatInt(time.Time(*t).UnixMilli(), 10) }
