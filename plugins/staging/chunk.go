package staging

import (
	"errors"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// record is one sealed record of a chunk on its way.
type record struct {
	msg    *service.Message
	is     stage.Inspection
	ref    quarantine.Ref
	sealed *seal.Record // once it is verified
	need   *requirement
	denied string          // why it may not go; "" when it may
	gone   map[string]bool // paths that may not go any more
}

// chunk is the batch: offsets first..last of one partition.
type chunk struct {
	of      *stage.Chunk
	records []record
	settled int
}

var errNoChunk = errors.New("the batch is not one chunk of the redpanda input: read the topic with this distribution's redpanda input, and put nothing between that joins or splits batches")

// readChunk takes the batch's identity and its records, in order. Errors are of the set-up, and the batch waits, or name
// messages that arrived flagged.
func readChunk(batch service.MessageBatch) (*chunk, error) {
	if len(batch) == 0 {
		return nil, errNoChunk
	}
	at, ok := stage.PositionOf(batch[0])
	if !ok {
		return nil, errNoChunk
	}
	c := &chunk{of: at.Chunk, records: make([]record, 0, len(batch))}
	bad := &refusals{}
	for _, msg := range batch {
		at, ok := stage.PositionOf(msg)
		if !ok || at.Chunk != c.of {
			return nil, errNoChunk
		}
		switch err := stage.Failure(msg); {
		case errors.Is(err, stage.ErrWait):
			return nil, fmt.Errorf("a stage before this output could not judge the batch yet: %w", err)
		case err != nil:
			bad.add(stage.CodeUpstreamFailed, at.Ref(), err)
		}
		if is := stage.Inspect(msg); is.Settled() {
			c.settled++
		} else {
			c.records = append(c.records, record{msg: msg, is: is, ref: at.Ref()})
		}
	}
	return c, bad.err()
}

// batchID names the chunk in the rows it wrote.
func (c *chunk) batchID() string {
	return fmt.Sprintf("%s|%d|%d-%d|%d", c.of.Topic, c.of.Partition, c.of.First, c.of.Last, c.of.ReplayEpoch)
}

// refusals gathers records that can never go in.
type refusals struct {
	code  string
	refs  []quarantine.Ref
	first error
}

// add keeps the records that share the first code; those with another are found when the chunk comes again.
func (b *refusals) add(code string, ref quarantine.Ref, err error) {
	if b.code == "" {
		b.code, b.first = code, err
	}
	if b.code == code {
		b.refs = append(b.refs, ref)
	}
}

func (b *refusals) err() error {
	if len(b.refs) == 0 {
		return nil
	}
	return &stage.PermanentError{Code: b.code, Refs: b.refs, Err: b.first}
}
