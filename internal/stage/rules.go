package stage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/workspace"
)

// Rules are one generation of policy and contracts, compiled. They are immutable and come into force as a whole. An event
// is judged by one generation from the first of our processors that reads it to the last: it rides along with the event.
type Rules struct {
	*workspace.Workspace

	made     sync.Map      // what components made of it, by part
	replaced chan struct{} // closed once another generation is in force
}

func newRules(ws *workspace.Workspace) *Rules {
	return &Rules{Workspace: ws, replaced: make(chan struct{})}
}

// Replaced is closed once another generation is in force.
func (r *Rules) Replaced() <-chan struct{} { return r.replaced }

// RulesOf returns the generation that rides along with a message; nil if none of ours has read it yet.
func RulesOf(msg *service.Message) *Rules { return carriedBy(msg).rules }

// Part is what one component makes of each generation of rules: its plan, its readers. It is made before the generation
// comes into force, and a generation that some part cannot be made of never does.
type Part[T any] struct {
	live    *live
	build   func(*Rules) (T, error)
	settle  func(context.Context, *Rules) error
	every   time.Duration
	release sync.Once
}

// NewPart makes the component's part of the rules in force. settle, if not nil, does what must be durable before
// a generation that follows comes into force; its error keeps the generation out. Close the part with the component.
func NewPart[T any](rt *Runtime, build func(*Rules) (T, error), settle func(context.Context, *Rules) error) (*Part[T], error) {
	p := &Part[T]{live: rt.live, build: build, settle: settle, every: rt.period}
	return p, rt.live.add(p)
}

// Now returns the generation in force and the part made of it.
func (p *Part[T]) Now() (*Rules, T) {
	r := p.live.rules()
	made, _ := p.Of(r)
	return r, made
}

// Of returns the part made of a generation; false where the component knows nothing of it, as it then is of
// another process or workspace.
func (p *Part[T]) Of(r *Rules) (made T, ok bool) {
	if r == nil {
		return made, false
	}
	v, ok := r.made.Load(p)
	if ok {
		made = v.(T)
	}
	return made, ok
}

// ForBatch is Of for the generation that rides along with a batch, as the first of our processors gave it. Where none has,
// it is Now. Should messages of the batch have different ones, it is that of the first: ask Strays about the others.
func (p *Part[T]) ForBatch(batch service.MessageBatch) (*Rules, T) {
	for _, msg := range batch {
		r := RulesOf(msg)
		if made, ok := p.Of(r); ok {
			return r, made
		}
	}
	return p.Now()
}

// Strays tells a message that a processor before this one has read by other rules than those given: it cannot be judged with
// its batch, so it has to come again.
func (p *Part[T]) Strays(msg *service.Message, from *Rules) bool {
	r := RulesOf(msg)
	_, ours := p.Of(r)
	return ours && r != from
}

// ErrStray is why such a message waits.
var ErrStray = fmt.Errorf("%w: another policy came into force while its batch was on its way", ErrWait)

// Close gives the part up.
func (p *Part[T]) Close() {
	p.release.Do(func() { p.live.remove(p) })
}

func (p *Part[T]) prepare(r *Rules) error {
	if _, done := r.made.Load(p); done {
		return nil
	}
	made, err := p.build(r)
	if err == nil {
		r.made.Store(p, made)
	}
	return err
}

func (p *Part[T]) confirm(ctx context.Context, r *Rules) error {
	if p.settle == nil {
		return nil
	}
	return p.settle(ctx, r)
}

func (p *Part[T]) period() time.Duration { return p.every }
