package clickhouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/ebbgate/ebbgate/internal/stage"
)

// errNoRecords keeps a denial from being lost: it is a fault of the set-up, so the chunk waits.
var errNoRecords = errors.New("the stream judges and delivers at once, so decisions arrive here: set records to a redpanda output that writes them")

// setApart writes the messages that are no rows of this destination to the records output. They come first: once a chunk
// counts as delivered nothing of it is replayed. When the rows fail afterwards the same records are written again;
// decisions carry an id of their own by which repeats are known.
func (o *output) setApart(ctx context.Context, c *chunk) error {
	if len(c.others) == 0 {
		return nil
	}
	if err := o.cfg.records.WriteBatch(ctx, c.others); err != nil {
		return fmt.Errorf("writing decisions and quarantine records: %w", err)
	}
	return nil
}

// mine says of a permanent error that it is about this destination alone: by now others have what is theirs.
func (o *output) mine(err error) error {
	if permanent, ok := errors.AsType[*stage.PermanentError](err); ok {
		permanent.Destination = o.cfg.destination
	}
	return err
}

// elsewhere tells the messages that another stage of this process has addressed to a topic. What merely lacks a seal
// is none of them: it is refused like anything else. Without a records output every message must be a row.
func (o *output) elsewhere(is stage.Inspection) bool {
	if o.cfg.records == nil {
		return false
	}
	rec, sealed := is.Sealed()
	return is.Finished() || (sealed && rec.Destination != o.cfg.destination)
}
