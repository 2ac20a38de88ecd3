package trace

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// Options say where to look.
type Options struct {
	Client *kafka.Client
	Topics *topics.Set
	// Destinations are those of the policy, in its order.
	Destinations []string
	Since        time.Time      // earliest record to read; zero reads all there is
	Store        *Store         // nil to look at topics alone
	Progress     func(Searched) // called after each topic; may be nil
}

// roles are those whose topics tell of single events, in the order events pass them.
var roles = []topics.Role{topics.Receipts, topics.Inbound, topics.Raw, topics.Validated, topics.Quarantine, topics.Decisions}

// Find looks an event id, a correlation id or the id of a receipt up. A Trace without events means that nothing was found where it says.
func Find(ctx context.Context, id string, opts Options) (*Trace, error) {
	start := time.Now()
	r, err := opts.Client.OpenReader(opts.Since)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := newFound(id, opts.Topics)
	if err != nil {
		return nil, err
	}
	t := &Trace{ID: id, Events: []Event{}, Search: Search{Store: opts.Store != nil}}
	if !opts.Since.IsZero() {
		since := opts.Since.UTC()
		t.Search.Since = &since
	}
	for _, topic := range searched(opts.Topics) {
		n, err := r.Scan(ctx, topic.Name, func(rec *kgo.Record) { f.take(topic, rec) })
		if err != nil {
			return nil, err
		}
		done := Searched{topic.Name, n}
		if t.Search.Topics = append(t.Search.Topics, done); opts.Progress != nil {
			opts.Progress(done)
		}
	}
	t.Receipts = f.receipts
	if err := f.walkBack(ctx, r); err != nil {
		return nil, err
	}
	if opts.Store != nil {
		if err := opts.Store.look(ctx, f); err != nil && ctx.Err() != nil {
			return nil, err
		} else if err != nil {
			t.Search.StoreError = err.Error()
		}
		if err := f.walkBack(ctx, r); err != nil {
			return nil, err
		}
	}
	for _, name := range f.order {
		f.events[name].finish(opts.Destinations)
		t.Events = append(t.Events, *f.events[name])
	}
	t.Search.Seconds = time.Since(start).Seconds()
	return t, nil
}

// searched lists the topics that may hold records of an event.
func searched(set *topics.Set) (list []topics.Topic) {
	for _, role := range roles {
		for _, t := range set.All() {
			if t.Role == role {
				list = append(list, t)
			}
		}
	}
	for _, t := range set.All() {
		if t.Destination != "" {
			list = append(list, t)
		}
	}
	return list
}

// walkBack fetches the records that others name as the place where the event entered, or failed: they may bear no id that
// anybody could have searched for, and may be older than the search.
func (f *found) walkBack(ctx context.Context, r *kafka.Reader) error {
	for at, ids := range f.entered {
		delete(f.entered, at)
		topic, known := f.topics.Topic(at.Topic)
		ids = slices.DeleteFunc(ids, func(id string) bool { return f.events[id].has(at) })
		if !known || topic.Destination != "" || len(ids) == 0 {
			continue
		}
		rec, err := r.At(ctx, at.Topic, at.Partition, at.Offset)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if rec != nil {
				f.enter(f.events[id], topic, rec)
			}
		}
	}
	return nil
}
