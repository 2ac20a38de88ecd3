package stage

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// Pack is a chunk that goes through the engine as one message, because the engine's own work is per message. Our
// components take its messages out, work on them as on any batch, and put what becomes of them back. Nobody else can see
// or change a single event.
//
// What another component does to the one message cannot lose or leak anything. Its content is no JSON, so a mapping that
// reads it fails, and every event becomes a quarantine record. One that was rewritten waits, as an event does whose state is
// unavailable. And one that is acknowledged without an output of ours having written it was dropped on its way: the input
// asks, and replays it.
type Pack struct {
	messages service.MessageBatch
	written  *atomic.Bool
}

const metaPack = "ebbgate_pack"

var packContent = []byte("a chunk, packed for ebbgate's own components\n")

// ErrPack is why a pack has to come again: a component of somebody else rewrote or dropped it.
var ErrPack = errors.New("a packed chunk was rewritten or dropped on its way: with packed set, put no processors or outputs of others into the stream")

var errBrokenPack = fmt.Errorf("%w: %w", ErrWait, ErrPack)

// Copy is what Bloblang sees.
func (p *Pack) Copy() any { return "" }

// NewPack packs the messages. written tells whether an output has brought all of them to their end.
func NewPack(messages service.MessageBatch) (batch service.MessageBatch, written func() bool) {
	p := &Pack{messages, new(atomic.Bool)}
	msg := service.NewMessage(packContent)
	msg.MetaSetImmut(metaPack, p)
	return service.MessageBatch{msg}, p.written.Load
}

// Unpack returns the messages a batch stands for, and how to pack what becomes of them. Packing is nil, and does nothing,
// where the batch is no pack. What is left of a pack that was rewritten is flagged, and waits.
func Unpack(batch service.MessageBatch) (service.MessageBatch, *Packing) {
	if len(batch) == 0 {
		return batch, nil
	}
	carrier := batch[0]
	v, _ := carrier.MetaGetImmut(metaPack)
	p, named := v.(*Pack)
	body, err := carrier.AsBytes()
	filled := err == nil && Same(body, packContent)
	switch {
	case !named && !filled:
		return batch, nil
	case !named || !filled || len(batch) > 1:
		for _, msg := range batch {
			msg.SetError(errBrokenPack)
		}
		return batch, nil
	}
	if err := carrier.GetError(); err != nil {
		for _, msg := range p.messages {
			msg.SetError(err)
		}
		carrier.SetError(nil)
	}
	return p.messages, &Packing{carrier, p}
}

// Packing is a pack that was opened.
type Packing struct {
	carrier *service.Message
	pack    *Pack
}

// Batches is what a processor returns for the messages it made of the batch.
func (p *Packing) Batches(messages service.MessageBatch) []service.MessageBatch {
	if p == nil {
		return []service.MessageBatch{messages}
	}
	p.carrier.MetaSetImmut(metaPack, &Pack{messages, p.pack.written})
	return []service.MessageBatch{{p.carrier}}
}

// Written is for outputs: everything in the batch is where it belongs, durably.
func (p *Packing) Written() {
	if p != nil {
		p.pack.written.Store(true)
	}
}
