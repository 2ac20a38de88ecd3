package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/kafka"
)

// lookup joins the consent service, if there is one, with the views of the compacted topics, if there are any.
type lookup struct {
	http    *httpConsent
	views   *views
	waiting waiting
}

func (l *lookup) Read(ctx context.Context, keys []string) ([]consent.State, error) {
	states := make([]consent.State, len(keys))
	if len(keys) == 0 {
		return states, nil
	}
	l.waiting.add(len(keys))
	defer l.waiting.add(-len(keys))
	var linked people
	if l.views != nil {
		if err := l.views.shared.Read(ctx, func() { l.views.fillAll(keys, states, &linked) }); err != nil {
			return nil, unavailable(err)
		}
	}
	if l.http != nil {
		err := l.http.fill(ctx, keys, states)
		if err == nil && len(linked.keys) > 0 {
			err = l.http.fill(ctx, linked.keys, linked.states)
		}
		if err != nil {
			return nil, unavailable(err)
		}
	}
	linked.join(states)
	return states, nil
}

func (l *lookup) Recorded(ctx context.Context, keys []string) ([]consent.State, error) {
	states := make([]consent.State, len(keys))
	if l.views == nil {
		return states, nil
	}
	if err := l.views.shared.Read(ctx, func() { l.views.fill(keys, states) }); err != nil {
		return nil, unavailable(err)
	}
	return states, nil
}

func unavailable(err error) error {
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func (l *lookup) Close(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if l.http != nil {
		l.http.close()
	}
	if l.views == nil {
		return nil
	}
	return l.views.shared.Close(ctx)
}

// views are the compacted topics; those that are not configured are nil.
type views struct {
	shared      *kafka.Shared
	consent     *kafka.View[*consent.Record]
	suppression *kafka.View[*consent.Suppression]
	erasures    *kafka.View[*consent.Erasure]
	links       *links
}

var errUnreadable = errors.New("the record cannot be read")

// What stands in for a record that cannot be read: it denies.
var (
	unreadableConsent     = &consent.Record{Unreadable: true}
	unreadableSuppression = &consent.Suppression{Unreadable: true}
	unreadableErasure     = &consent.Erasure{Unreadable: true}
)

func shareViews(client *kafka.Client, mgr *service.Resources, names topicNames) *views {
	shared := kafka.Share(client, mgr, []string{names.consent, names.suppression, names.erasures, names.links}, func() []kafka.Table {
		return makeTables(names)
	})
	v := &views{shared: shared}
	for _, table := range shared.Tables {
		switch table := table.(type) {
		case *kafka.View[*consent.Record]:
			v.consent = table
		case *kafka.View[*consent.Suppression]:
			v.suppression = table
		case *kafka.View[*consent.Erasure]:
			v.erasures = table
		case *links:
			v.links = table
		}
	}
	return v
}

func makeTables(names topicNames) (tables []kafka.Table) {
	if names.consent != "" {
		tables = append(tables, kafka.NewView(kafka.ViewConfig[*consent.Record]{Topic: names.consent, Decode: decodeConsent}))
	}
	if names.suppression != "" {
		tables = append(tables, kafka.NewView(kafka.ViewConfig[*consent.Suppression]{Topic: names.suppression, Decode: decodeSuppression}))
	}
	if names.erasures != "" {
		tables = append(tables, kafka.NewView(kafka.ViewConfig[*consent.Erasure]{Topic: names.erasures, Decode: decodeErasure, KeepNull: true}))
	}
	if names.links != "" {
		tables = append(tables, newLinks(names.links))
	}
	return tables
}

func decodeConsent(value []byte) (*consent.Record, int64, error) {
	rec := consent.ParseRecord(value)
	if rec == nil || rec.Unreadable {
		return nil, 0, errUnreadable
	}
	return rec, rec.Version, nil
}

func decodeSuppression(value []byte) (*consent.Suppression, int64, error) {
	rec := consent.ParseSuppression(value)
	if rec == nil || rec.Unreadable {
		return nil, 0, errUnreadable
	}
	return rec, rec.Version, nil
}

func decodeErasure(value []byte) (*consent.Erasure, int64, error) {
	rec := consent.ParseErasure(value)
	if rec == nil || rec.Unreadable {
		return nil, 0, errUnreadable
	}
	return rec, rec.Epoch, nil
}

// fillAll runs while the views stand still. It fills the states of the keys, and those of all that is linked to them.
func (v *views) fillAll(keys []string, states []consent.State, linked *people) {
	v.fill(keys, states)
	if v.links == nil {
		return
	}
	for i, key := range keys {
		linked.find(v.links, i, key)
	}
	linked.states = make([]consent.State, len(linked.keys))
	v.fill(linked.keys, linked.states)
}

func (v *views) fill(keys []string, states []consent.State) {
	for i, key := range keys {
		if v.consent != nil {
			states[i].Consent = current(v.consent, key, unreadableConsent)
		}
		if v.suppression != nil {
			states[i].Suppressed = current(v.suppression, key, unreadableSuppression)
		}
		if v.erasures != nil {
			states[i].Erased = current(v.erasures, key, unreadableErasure)
		}
	}
}

func current[T any](view *kafka.View[*T], key string, unreadable *T) *T {
	entry, ok := view.Get(key)
	switch {
	case !ok:
		return nil
	case entry.Unreadable:
		return unreadable
	}
	return entry.Value
}
