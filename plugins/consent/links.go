package consent

import (
	"context"
	"fmt"
	"slices"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/identity"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// linking finds what identify, group and alias say about who is who, and makes records of what is new.
type linking struct {
	rt      *stage.Runtime
	topic   string
	lookup  state.Lookup
	written *service.MetricCounter
}

func newLinking(rt *stage.Runtime, lookup state.Lookup, mgr *service.Resources) (*linking, error) {
	topic, ok := rt.Topics.ByRole(topics.Identity)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role identity: add identity.links with role: identity", rt.Dir)
	}
	return &linking{rt: rt, topic: topic.Name, lookup: lookup, written: mgr.Metrics().NewCounter("ebbgate_identity_links_total", "source")}, nil
}

// linked are the pseudonyms of one person that an event names: the first is its subject, the others are linked to it.
func (l *linking) linked(ix *event.Index) []string {
	if !links(ix) {
		return nil
	}
	var keys []string
	for _, id := range []struct {
		field event.Field
		kind  string
	}{{event.UserID, "user_id"}, {event.AnonymousID, "anonymous_id"}} {
		if v, ok := ix.Get(id.field); ok && v.Kind() == event.String {
			keys = append(keys, l.rt.Ring.SubjectPseudonym(id.kind, v.String()))
		}
	}
	if previous := previousID(ix); previous != "" {
		// Senders do not say which kind of id it was.
		keys = append(keys, l.rt.Ring.SubjectPseudonym("user_id", previous), l.rt.Ring.SubjectPseudonym("anonymous_id", previous))
	}
	if len(keys) < 2 {
		return nil
	}
	return keys
}

// links reports whether an event of the name ties identifiers together.
func links(ix *event.Index) bool {
	name, ok := ix.Get(event.EventName)
	if !ok || name.Kind() != event.String {
		return false
	}
	switch string(name.Raw()) {
	case "identify", "group", "alias":
		return true
	}
	return false
}

// previousID is who the user was before, as an alias says.
func previousID(ix *event.Index) (id string) {
	properties, ok := ix.Get(event.Properties)
	if !ok || properties.Kind() != event.Object {
		return ""
	}
	var scratch [32]byte
	properties.Each(func(v event.Value) bool {
		if string(v.Key(scratch[:0])) == "previous_id" && v.Kind() == event.String {
			id = v.String()
		}
		return id == ""
	})
	return id
}

// records returns a message for each link that is not known yet. They go out with the batch, so an event goes no further
// without them. Whoever cannot be resolved is linked to nobody else.
func (l *linking) records(ctx context.Context, waiting []pending, states []consent.State) (service.MessageBatch, error) {
	var naming []*pending
	var keys []string
	for i := range waiting {
		next := &waiting[i]
		if len(next.linked) > 0 && !slices.ContainsFunc(states[next.first:next.first+next.keys], unresolved) {
			naming, keys = append(naming, next), append(keys, next.linked[0])
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	known, err := l.lookup.Linked(ctx, keys)
	if err != nil {
		return nil, err
	}
	var made service.MessageBatch
	for i, next := range naming {
		for _, other := range next.linked[1:] {
			pair, ok := identity.MakePair(next.linked[0], other)
			if ok && !slices.Contains(known[i], other) {
				made = append(made, l.record(next, pair))
			}
		}
	}
	return made, nil
}

func unresolved(s consent.State) bool { return s.Unresolved }

func (l *linking) record(next *pending, pair identity.Pair) *service.Message {
	at, _ := next.ix.Get(event.Timestamp)
	when, _ := event.ParseTime(at.Text(nil))
	link := identity.At(when, next.source)
	l.written.Incr(1, next.source)
	return next.record(topics.Identity, l.topic, pair.Key(), link.Append(nil))
}
