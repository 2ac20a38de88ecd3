package stage

import (
	"fmt"

	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// PermanentError is what an output returns when retrying can never succeed for the records it names. The input that
// handed the chunk out counts attempts of these alone, quarantines the records, and replays the same chunk without
// them. An error that names nobody must not be permanent: it is a fault of the set-up, and the chunk waits.
type PermanentError struct {
	Code string           // for the quarantine record, such as seal.missing
	Refs []quarantine.Ref // where the input read the records
	Err  error            // what happened, without values

	// Destination is the only one that will not get the records, or empty when nothing of their events is written anywhere.
	Destination string
}

// Error names the code, how many records are meant and the first of them.
func (e *PermanentError) Error() string {
	if len(e.Refs) == 0 {
		return fmt.Sprintf("%s: %v", e.Code, e.Err)
	}
	first := e.Refs[0]
	return fmt.Sprintf("%s: %v (%d records, first %s/%d@%d)", e.Code, e.Err, len(e.Refs), first.Topic, first.Partition, first.Offset)
}

// Unwrap returns the cause.
func (e *PermanentError) Unwrap() error { return e.Err }
