package staging

import (
	"errors"
	"runtime/debug"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// verify fills the records with what their seals cover. One without a valid seal for this destination over exactly its
// bytes is named in a *stage.PermanentError; a seal by a key this process does not hold yet is no fault of the record.
func (o *output) verify(c *chunk) error {
	bad := &refusals{}
	for i := range c.records {
		r := &c.records[i]
		err := o.guarded(func() error { return o.verifyOne(r) })
		if err == nil {
			continue
		}
		refusal, permanent := errors.AsType[*seal.Error](err)
		switch {
		case errors.Is(err, errPanic):
			bad.add(errPanic.Code, r.ref, err)
		case !permanent || refusal.Code == seal.ErrUnknownKey.Code:
			return err
		default:
			bad.add(refusal.Code, r.ref, err)
		}
	}
	return bad.err()
}

func (o *output) verifyOne(r *record) error {
	if q, ok := r.is.Quarantine(); ok {
		return &seal.Error{Code: q.Code, Remedy: "an earlier stage of this stream put the record into quarantine"}
	}
	body, err := r.msg.AsBytes()
	if err != nil {
		return err
	}
	if rec, ok := r.is.Sealed(); ok {
		// It never left this process, so there is no text to check: it holds for these bytes in memory and no others.
		switch {
		case rec.Destination != o.cfg.destination:
			return seal.ErrDestination
		case !r.is.Intact(body):
			return seal.ErrMismatch
		}
		r.sealed = rec
		return nil
	}
	key, _ := r.msg.MetaGet(stage.MetaKafkaKey)
	r.sealed = &seal.Record{}
	text, err := r.sealed.ReadHeaders(r.msg.MetaGet, r.ref.Topic, key, body)
	if err != nil {
		return err
	}
	return o.cfg.verifier.Verify(r.sealed, text)
}

var errPanic = &event.Fault{Code: stage.CodePanic, Remedy: "report the stack trace in the log, then replay the event"}

// guarded runs work on one record. A panic in it is a fault of that record alone.
func (o *output) guarded(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value may quote the event, so only its type is told.
			o.cfg.log.Errorf("recovered a panic of type %T: %s", p, debug.Stack())
			err = errPanic
		}
	}()
	return work()
}
