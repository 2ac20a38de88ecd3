package clickhouse

import (
	"errors"
	"fmt"
	"slices"
	"time"

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
	msg       *service.Message
	is        stage.Inspection
	sealed    *seal.Record // once it is verified
	ref       quarantine.Ref
	need      *requirement
	fate      fate
	reason    string    // why it is denied
	rule      string    // the line that denies it
	version   int64     // of the consent that was relied on for that
	decidedAt time.Time // of a decision: the time of its record
	gone      gateSet   // gates of need that no longer hold: their fields are left out
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
	of          *stage.Chunk
	first, last int64
	records     []record
	read        []seal.Record        // those of records that were read from headers
	others      service.MessageBatch // messages that are no records of the destination
	settled     int
	layout      *layout
	rules       *exportRules // by which all of it is judged; nil for decisions
	acted       []time.Time  // when some of its events happened
}

var errNoChunk = errors.New("the batch is not one chunk of the redpanda input: read the topic with this distribution's redpanda input, and put nothing between that joins or splits batches")

// readChunk takes the batch's identity and its records, in order, without judging them; elsewhere
// tells which messages are none. Errors are of the set-up, and the
// batch waits, or name messages that arrived flagged in a *stage.PermanentError.
func readChunk(batch service.MessageBatch, c *chunk, elsewhere func(stage.Inspection) bool) error {
	if len(batch) == 0 {
		return errNoChunk
	}
	*c = chunk{records: slices.Grow(c.records[:0], len(batch)), read: c.read[:0], others: c.others[:0], acted: c.acted[:0]}
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
	at, ok := stage.PositionOf(msg)
	if !ok {
		return errNoChunk
	}
	c.of = at.Chunk
	c.topic, c.partition, c.epoch = c.of.Topic, c.of.Partition, c.of.ReplayEpoch
	c.first, c.last = c.of.First, c.of.Last
	return nil
}

func (c *chunk) add(msg *service.Message, elsewhere func(stage.Inspection) bool) error {
	at, ok := stage.PositionOf(msg)
	if !ok || at.Chunk != c.of {
		return errNoChunk
	}
	switch is := stage.Inspect(msg); {
	case is.Settled():
		c.settled++
	case elsewhere(is):
		c.others = append(c.others, msg)
	default:
		c.records = append(c.records, record{msg: msg, is: is, ref: at.Ref()})
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
