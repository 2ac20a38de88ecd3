package stage

import (
	"strconv"

	"github.com/redpanda-data/benthos/v4/public/service"
	"go.opentelemetry.io/otel/trace"

	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// Chunk is what the messages of one chunk have in common: offsets First to Last of a partition.
type Chunk struct {
	Topic       string
	Partition   int32
	First, Last int64
	ReplayEpoch uint32
	// Attempt counts how often this process handed the chunk out, from 1.
	Attempt int
	// Spans are those under which the traced ones of its events are processed, by offset; nil when none is.
	Spans map[int64]trace.Span
}

// Position is where the input read a message. It stands in the metadata as kafka_offset, so that our components need
// not parse what the input knew as numbers; everyone else reads the decimal text.
type Position struct {
	Chunk  *Chunk
	Offset int64
	// Origin is where the event entered the pipelines, as an earlier hop wrote it down; without a topic it is here.
	Origin quarantine.Ref
}

// Ref is the position as quarantine records and decisions name it.
func (p *Position) Ref() quarantine.Ref {
	return quarantine.Ref{Topic: p.Chunk.Topic, Partition: p.Chunk.Partition, Offset: p.Offset}
}

// Copy is what Bloblang and header filters see.
func (p *Position) Copy() any { return strconv.FormatInt(p.Offset, 10) }

// SetPosition says where a message was read. The position must not change any more.
func SetPosition(msg *service.Message, p *Position) { msg.MetaSetImmut(MetaKafkaOffset, p) }

// PositionOf returns the position the input gave the message. ok is false when another component made the message, or
// set its offset.
func PositionOf(msg *service.Message) (p *Position, ok bool) {
	v, _ := msg.MetaGetImmut(MetaKafkaOffset)
	p, ok = v.(*Position)
	return p, ok
}
