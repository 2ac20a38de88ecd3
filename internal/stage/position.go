package stage

import (
	"strconv"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// Chunk is what the messages of one chunk have in common.
type Chunk struct {
	Topic     string
	Partition int32
}

// Position is where the input read a message. It stands in the metadata as kafka_offset, so that our components need
// not parse what the input knew as numbers; everyone else reads the decimal text.
type Position struct {
	Chunk  *Chunk
	Offset int64
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
