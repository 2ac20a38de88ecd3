package clickhouse

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// fate is how a record of a chunk ends.
type fate uint8

const (
	wanted   fate = iota // to be inserted
	present              // in the table already, as a row of this very chunk
	repeated             // in the table already, as a row of another record
	denied
)

// record is one sealed record of a chunk on its way.
type record struct {
	msg    *service.Message
	is     stage.Inspection
	sealed *seal.Record // once it is verified
	ref    quarantine.Ref
	need   *requirement
	fate   fate
	reason string  // why it is denied
	gone   gateSet // gates of need that no longer hold: their fields are left out
}

// partitionKey names what has a high-water mark of its own.
type partitionKey struct {
	topic     string
	partition int32
	epoch     uint32
}

// chunk is the batch: offsets first..last of one partition.
type chunk struct {
	partitionKey
	first, last int64
	records     []record
	read        []seal.Record        // those of records that were read from headers
	others      service.MessageBatch // messages that are no records of the destination
	settled     int
	layout      *layout
}

var errNoChunk = errors.New("the batch is not one chunk of the redpanda input: read the topic with this distribution's redpanda input, and put nothing between that joins or splits batches")

// readChunk takes the batch's identity and its records, in order, without judging them; elsewhere
// tells which messages are none. Errors are of the set-up, and the
// batch waits, or name messages that arrived flagged in a *stage.PermanentError.
func readChunk(batch service.MessageBatch, c *chunk, elsewhere func(stage.Inspection) bool) error {
	if len(batch) == 0 {
		return errNoChunk
	}
	*c = chunk{records: slices.Grow(c.records[:0], len(batch)), read: c.read[:0], others: c.others[:0]}
	if err := c.identify(batch[0]); err != nil {
		return err
	}
	bad := &refusals{}
	for _, msg := range batch {
		switch err := stage.Failure(msg); {
		case errors.Is(err, stage.ErrWait):
			return fmt.Errorf("a stage before this output could not judge the batch yet: %w", err)
		case err != nil:
			ref, _ := stage.Source(msg)
			bad.add(stage.CodeUpstreamFailed, ref, err)
		}
		if err := c.add(msg, elsewhere); err != nil {
			return err
		}
	}
	return bad.err()
}

func (c *chunk) identify(msg *service.Message) error {
	ref, ok := stage.Source(msg)
	first, okFirst := number(msg, stage.MetaChunkFirst, 63)
	last, okLast := number(msg, stage.MetaChunkLast, 63)
	if !ok || !okFirst || !okLast || last < first {
		return errNoChunk
	}
	c.topic, c.partition, c.first, c.last = ref.Topic, ref.Partition, int64(first), int64(last)
	if text, _ := msg.MetaGet(stage.MetaReplayEpoch); text != "" {
		epoch, ok := number(msg, stage.MetaReplayEpoch, 32)
		if !ok {
			return errNoChunk
		}
		c.epoch = uint32(epoch)
	}
	return nil
}

func number(msg *service.Message, name string, bits int) (uint64, bool) {
	text, _ := msg.MetaGet(name)
	n, err := strconv.ParseUint(text, 10, bits)
	return n, err == nil
}

func (c *chunk) add(msg *service.Message, elsewhere func(stage.Inspection) bool) error {
	ref, ok := stage.Source(msg)
	if !ok || ref.Topic != c.topic || ref.Partition != c.partition || ref.Offset < c.first || ref.Offset > c.last {
		return errNoChunk
	}
	switch is := stage.Inspect(msg); {
	case is.Settled():
		c.settled++
	case elsewhere(is):
		c.others = append(c.others, msg)
	default:
		c.records = append(c.records, record{msg: msg, is: is, ref: ref})
	}
	return nil
}

// token names the chunk's insert. It depends on nothing that can differ between retries.
func (c *chunk) token(destination string) string {
	return fmt.Sprintf("%s%d-%d|%d", tokenPrefix(destination, c.partitionKey), c.first, c.last, c.epoch)
}

// tokenPrefix is what the tokens of a partition have in common, whichever process made them.
func tokenPrefix(destination string, key partitionKey) string {
	return fmt.Sprintf("%s|%s|%d|", destination, key.topic, key.partition)
}

// count tells how many records have the fate.
func (c *chunk) count(f fate) int {
	n := 0
	for i := range c.records {
		if c.records[i].fate == f {
			n++
		}
	}
	return n
}
