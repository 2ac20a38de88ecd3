package stage

import (
	"errors"
	"sync/atomic"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// Pack is a chunk that goes through the engine as one message, because the engine's own work is per message. Our
// components take its messages out, work on them as on any batch, and put what becomes of them back. Nobody else can see
// or change a single event.
//
// What another component does to the one message cannot lose or leak anything: its content is no JSON, so a mapping
// fails on it and every event becomes a quarantine record; with other content, or beside other messages, it is no pack
// any more; and a pack that is acknowledged without an output of ours having written it was dropped on its way, which
// the input asks and replays.
type Pack struct {
	messages service.MessageBatch
	written  *atomic.Bool
}

const metaPack = "ebbgate_pack"

var packContent = []byte("a chunk, packed for ebbgate's own components\n")

// ErrNotWritten is why a pack that was acknowledged has to come again.
var ErrNotWritten = errors.New("the chunk was acknowledged and nothing of ours wrote it: with packed set, put no processors or outputs of others into the stream")

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
// where the batch is no pack.
func Unpack(batch service.MessageBatch) (service.MessageBatch, *Packing) {
	if len(batch) != 1 {
		return batch, nil
	}
	v, _ := batch[0].MetaGetImmut(metaPack)
	p, ok := v.(*Pack)
	if !ok {
		return batch, nil
	}
	if body, err := batch[0].AsBytes(); err != nil || !Same(body, packContent) {
		return batch, nil
	}
	if err := batch[0].GetError(); err != nil {
		for _, msg := range p.messages {
			msg.SetError(err)
		}
		batch[0].SetError(nil)
	}
	return p.messages, &Packing{batch[0], p}
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
