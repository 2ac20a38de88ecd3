package door

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// ErrClosed is returned to requests that came too late: nothing of them went on.
var ErrClosed = errors.New("the input is closing")

// Handover passes the messages of requests to the engine. Requests that wait at the same time share a batch, so that a
// busy door makes large batches and a quiet one loses no time.
type Handover struct {
	maxMessages int

	mu      sync.Mutex
	waiting []*delivery
	closed  bool
	wake    chan struct{} // holds a token when deliveries wait, or after Close
}

type delivery struct {
	batch service.MessageBatch
	alone bool // it was in a batch that failed, and another request may be why
	done  chan error
}

// NewHandover makes one whose batches hold at most maxMessages, unless one request alone brings more.
func NewHandover(maxMessages int) *Handover {
	return &Handover{maxMessages: maxMessages, wake: make(chan struct{}, 1)}
}

// Deliver hands a request's messages over and waits. Only nil says that all of them are durable. After any error they
// may be, or become so later: the sender has to send them again, and must be told so.
func (h *Handover) Deliver(ctx context.Context, batch service.MessageBatch) error {
	d := &delivery{batch: batch, done: make(chan error, 1)}
	if !h.add(d) {
		return ErrClosed
	}
	select {
	case err := <-d.done:
		return err
	case <-ctx.Done():
		h.forget(d)
		return ctx.Err()
	}
}

// Next waits for messages and returns them with the function that says what became of them. It is an input's ReadBatch.
func (h *Handover) Next(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	for {
		if taken := h.take(); len(taken) > 0 {
			return merge(taken), func(_ context.Context, err error) error {
				h.settle(taken, err)
				return nil
			}, nil
		}
		if h.isClosed() {
			return nil, nil, service.ErrEndOfInput
		}
		select {
		case <-h.wake:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// Close turns new requests away, and those nobody has taken yet.
func (h *Handover) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, d := range h.waiting {
		d.done <- ErrClosed
	}
	h.waiting = nil
	h.signal()
}

func (h *Handover) add(d *delivery) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.waiting = append(h.waiting, d)
	h.signal()
	return true
}

func (h *Handover) forget(d *delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.waiting, d); i >= 0 {
		h.waiting = slices.Delete(h.waiting, i, i+1)
	}
}

// take removes the deliveries of the next batch.
func (h *Handover) take() []*delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, messages := 0, 0
	for _, d := range h.waiting {
		messages += len(d.batch)
		if n > 0 && (d.alone || h.waiting[0].alone || messages > h.maxMessages) {
			break
		}
		n++
	}
	taken := slices.Clone(h.waiting[:n])
	h.waiting = slices.Delete(h.waiting, 0, n)
	return taken
}

// settle answers the requests of a batch. When several shared one that failed, each gets a try of its own: one record
// that no broker takes must not cost the others their answer.
func (h *Handover) settle(taken []*delivery, err error) {
	if err == nil || len(taken) == 1 {
		for _, d := range taken {
			d.done <- err
		}
		return
	}
	for _, d := range taken {
		again := &delivery{batch: d.batch, alone: true, done: d.done}
		if !h.add(again) {
			d.done <- ErrClosed
		}
	}
}

func (h *Handover) isClosed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

// signal must be called with the lock held.
func (h *Handover) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func merge(taken []*delivery) service.MessageBatch {
	if len(taken) == 1 {
		return taken[0].batch.Copy()
	}
	var all service.MessageBatch
	for _, d := range taken {
		all = append(all, d.batch.Copy()...)
	}
	return all
}
