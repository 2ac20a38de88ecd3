package redpanda

import (
	"strconv"

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
// serve the next try.
func (in *input) messages(p *partition, c *chunk) service.MessageBatch {
	// What is the same for all messages is boxed once.
	var (
		topic     any = p.topic
		partition any = strconv.Itoa(int(p.id))
		first     any = strconv.FormatInt(c.first, 10)
		last      any = strconv.FormatInt(c.last, 10)
		epoch     any = in.replayEpoch
	)
	batch := make(service.MessageBatch, len(c.recs))
	for i, rec := range c.recs {
		settled := c.settled[rec.Offset]
		body := rec.Value
		if settled {
			body = nil
		}
		msg := service.NewMessage(body)
		if !settled {
			setHeaders(msg, rec)
		}
		msg.MetaSetMut(stage.MetaKafkaTopic, topic)
		msg.MetaSetMut(stage.MetaKafkaPartition, partition)
		msg.MetaSetMut(stage.MetaKafkaOffset, strconv.FormatInt(rec.Offset, 10))
		msg.MetaSetMut(stage.MetaKafkaTimestamp, strconv.FormatInt(rec.Timestamp.UnixMilli(), 10))
		msg.MetaSetMut(stage.MetaChunkFirst, first)
		msg.MetaSetMut(stage.MetaChunkLast, last)
		msg.MetaSetMut(stage.MetaReplayEpoch, epoch)
		if settled {
			stage.MarkSettled(msg)
		}
		batch[i] = msg
	}
	return batch
}

func setHeaders(msg *service.Message, rec *kgo.Record) {
	for i := range rec.Headers {
		if name := rec.Headers[i].Key; !ownMetadata[name] && name != "" {
			msg.MetaSetMut(name, string(rec.Headers[i].Value))
		}
	}
	if rec.Key != nil {
		msg.MetaSetMut(stage.MetaKafkaKey, string(rec.Key))
	}
}
