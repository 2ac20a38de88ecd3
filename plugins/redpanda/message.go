package redpanda

import (
	"strconv"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/stage"
)

// ownMetadata are names that only this process may set. A header of such a name could otherwise route a record, or
// claim a position it does not have.
var ownMetadata = map[string]bool{
	stage.MetaTopic: true, stage.MetaKey: true,
	stage.MetaKafkaTopic: true, stage.MetaKafkaPartition: true, stage.MetaKafkaOffset: true,
	stage.MetaKafkaKey: true, stage.MetaKafkaTimestamp: true,
	stage.MetaChunkFirst: true, stage.MetaChunkLast: true, stage.MetaReplayEpoch: true,
}

// messages makes a batch of a chunk. Everything in it is new but the bytes, which nobody may change: the originals
// serve the next try. Most metadata is worded only when somebody reads it.
func (in *input) messages(p *partition, c *chunk) service.MessageBatch {
	// What is the same for all messages is boxed once.
	var (
		topic     any = p.topic
		partition any = strconv.Itoa(int(p.id))
		first     any = strconv.FormatInt(c.first, 10)
		last      any = strconv.FormatInt(c.last, 10)
		epoch     any = in.replayEpoch
	)
	// Every message begins as a copy of this one, with room for what the stages will add.
	pattern := service.NewMessage(nil)
	pattern.MetaSetMut(stage.MetaKafkaTopic, topic)
	pattern.MetaSetMut(stage.MetaKafkaPartition, partition)
	pattern.MetaSetMut(stage.MetaChunkFirst, first)
	pattern.MetaSetMut(stage.MetaChunkLast, last)
	pattern.MetaSetMut(stage.MetaReplayEpoch, epoch)
	pattern.MetaSetMut(stage.MetaKafkaOffset, "")
	pattern.MetaSetMut(stage.MetaKafkaTimestamp, "")
	pattern.MetaSetMut(stage.MetaKafkaKey, "")
	stage.Reserve(pattern)
	whole := &stage.Chunk{Topic: p.topic, Partition: p.id}
	positions := make([]stage.Position, len(c.recs))
	batch := make(service.MessageBatch, len(c.recs))
	for i, rec := range c.recs {
		positions[i] = stage.Position{Chunk: whole, Offset: rec.Offset}
		msg := pattern.Copy()
		stage.SetPosition(msg, &positions[i])
		msg.MetaSetImmut(stage.MetaKafkaTimestamp, (*lateTime)(&rec.Timestamp))
		if c.settled[rec.Offset] {
			msg.MetaDelete(stage.MetaKafkaKey)
			stage.MarkSettled(msg)
		} else {
			msg.SetBytes(rec.Value)
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
	if rec.Key == nil {
		msg.MetaDelete(stage.MetaKafkaKey)
		return
	}
	msg.MetaSetImmut(stage.MetaKafkaKey, (*lateText)(&rec.Key))
}

// lateText is text of a record that is copied only for those who read it.
type lateText []byte

// Copy is what everyone sees.
func (t *lateText) Copy() any { return string(*t) }

// lateTime is a record's time, in milliseconds for those who read it.
type lateTime time.Time

// Copy is what everyone sees.
func (t *lateTime) Copy() any { return strconv.FormatInt(time.Time(*t).UnixMilli(), 10) }
