package clickhouse

import (
	"runtime/debug"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// guarded runs work on one record. A panic in it is a fault of that record alone: the chunk must neither take the process
// down nor stand still, so the record is named and its neighbours go on.
func guarded(log *service.Logger, work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value may quote the event, so only its type is told.
			log.Errorf("recovered a panic of type %T: %s", p, debug.Stack())
			err = errPanic
		}
	}()
	return work()
}

var errPanic = &event.Fault{Code: stage.CodePanic, Remedy: "report the stack trace in the log, then replay the event"}
