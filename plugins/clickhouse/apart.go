package clickhouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/stage"
)

// errNoRecords keeps a denial from being lost: it is a fault of the set-up, so the chunk waits.
var errNoRecords = errors.New("the stream judges and delivers at once, so decisions arrive here: set records to a redpanda output that writes them")

// setApart writes the messages that are no rows of this destination to the records output and leaves the others as the
// chunk. They come first: once a chunk counts as delivered nothing of it is replayed. When the rows fail afterwards the
// same records are written again; decisions carry an id of their own by which repeats are known.
func (o *output) setApart(ctx context.Context, batch service.MessageBatch, c *chunk) (service.MessageBatch, error) {
	if o.cfg.records == nil {
		return batch, nil
	}
	var rows, others service.MessageBatch
	for i, msg := range batch {
		switch {
		case o.elsewhere(msg):
			if others == nil {
				rows = append(make(service.MessageBatch, 0, len(batch)), batch[:i]...)
			}
			others = append(others, msg)
		case others != nil:
			rows = append(rows, msg)
		}
	}
	if others == nil {
		return batch, nil
	}
	if err := o.cfg.records.WriteBatch(ctx, others); err != nil {
		return nil, fmt.Errorf("writing decisions and quarantine records: %w", err)
	}
	if err := c.take(rows); err != nil {
		return nil, err
	}
	return rows, nil
}

// elsewhere tells the messages that another stage of this process has addressed to a topic. What merely lacks a seal
// is none of them: it is refused like anything else.
func (o *output) elsewhere(msg *service.Message) bool {
	is := stage.Inspect(msg)
	rec, sealed := is.Sealed()
	return is.Finished() || (sealed && rec.Destination != o.cfg.destination)
}

// take makes the messages the chunk's records, in place of those it had. Its range of offsets stays.
func (c *chunk) take(batch service.MessageBatch) error {
	c.records, c.settled = c.records[:0], 0
	for _, msg := range batch {
		if err := c.add(msg); err != nil {
			return err
		}
	}
	return nil
}
