package state

import (
	"context"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/identity"
	"github.com/ebbgate/ebbgate/internal/kafka"
)

// links is the view of the topic of identity links.
type links = kafka.Fold[*identity.Graph]

func newLinks(topic string) *links { return kafka.NewFold(topic, identity.NewGraph()) }

// people are those of the keys of one question to which others are linked. The same person is looked up once, however many
// of the keys are theirs.
type people struct {
	keys   []string        // of all of them, one after the other
	states []consent.State // of keys
	each   []person
	of     []member
	known  map[string]int // in each, by key
}

type person struct {
	from, to   int // in keys
	unresolved bool
}

type member struct{ question, person int }

// find adds whoever has keys linked to key, which is the question's i-th. Without links it costs one look and no memory.
func (p *people) find(l *links, i int, key string) {
	n, ok := p.known[key]
	if !ok {
		from := len(p.keys)
		reached, resolved := l.Content.Reach(key, p.keys)
		if resolved && len(reached) == from {
			return
		}
		if p.known == nil {
			p.known = map[string]int{}
		}
		reached = append(reached, key) // what is said of it directly counts in any case
		n, p.keys = len(p.each), reached
		p.each = append(p.each, person{from, len(reached), !resolved})
		p.known[key] = n
		for _, k := range reached[from:] {
			p.known[k] = n
		}
	}
	p.of = append(p.of, member{i, n})
}

// join gives each question the state of the whole person.
func (p *people) join(states []consent.State) {
	if len(p.of) == 0 {
		return
	}
	joined := make([]consent.State, len(p.each))
	for i, one := range p.each {
		joined[i] = consent.Join(p.states[one.from:one.to])
		joined[i].Unresolved = one.unresolved
	}
	for _, m := range p.of {
		states[m.question] = joined[m.person]
	}
}

// Linked returns for each key what belongs together with it, itself not. Whoever cannot be resolved has nothing there.
func (l *lookup) Linked(ctx context.Context, keys []string) ([][]string, error) {
	linked := make([][]string, len(keys))
	if len(keys) == 0 || l.views == nil || l.views.links == nil {
		return linked, nil
	}
	err := l.views.shared.Read(ctx, func() {
		for i, key := range keys {
			linked[i], _ = l.views.links.Content.Reach(key, nil)
		}
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return linked, nil
}

func (s static) Linked(_ context.Context, keys []string) ([][]string, error) {
	return make([][]string, len(keys)), nil
}
