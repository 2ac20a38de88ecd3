package clickhouse

import (
	"errors"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// verify fills the chunk's records with what their seals cover. A record without a valid seal for this destination
// over exactly its bytes is named in a *stage.PermanentError; a seal by a key this process does not hold yet is no
// fault of the record, so it waits.
func (o *output) verify(c *chunk) error {
	bad := &refusals{}
	for i := range c.records {
		r := &c.records[i]
		err := guarded(o.cfg.log, func() error { return o.verifyOne(c, r) })
		if err == nil {
			continue
		}
		refusal, permanent := errors.AsType[*seal.Error](err)
		fault, malformed := event.AsFault(err)
		switch {
		case errors.Is(err, errPanic):
			bad.add(errPanic.Code, r.ref, err)
		case malformed:
			bad.add(fault.Code, r.ref, fault)
		case !permanent || refusal.Code == seal.ErrUnknownKey.Code:
			return err
		default:
			bad.add(refusal.Code, r.ref, err)
		}
	}
	return bad.err()
}

func (o *output) verifyOne(c *chunk, r *record) error {
	if o.cfg.audit != nil {
		return o.cfg.audit.readDecision(c, r)
	}
	if q, ok := r.is.Quarantine(); ok {
		return &seal.Error{Code: q.Code, Remedy: "an earlier stage of this stream put the record into quarantine"}
	}
	if r.is.Finished() {
		return errNoRecords
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
	r.sealed = c.blank()
	key, _ := r.msg.MetaGet(stage.MetaKafkaKey)
	text, err := r.sealed.ReadHeaders(r.msg.MetaGet, r.ref.Topic, key, body)
	if err != nil {
		return err
	}
	return o.cfg.verifier.Verify(r.sealed, text)
}

// blank returns an empty record out of the chunk's own memory.
func (c *chunk) blank() *seal.Record {
	if len(c.read) == cap(c.read) {
		c.read = make([]seal.Record, 0, len(c.records)) // those given out stay where they are
	}
	c.read = append(c.read, seal.Record{})
	return &c.read[len(c.read)-1]
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
