package dlq

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// Book is the quarantine as it stands, with what was done about it.
type Book struct {
	client     *kafka.Client
	reader     *kafka.Reader
	topics     *topics.Set
	quarantine string
	actions    string

	entries []*Entry
	// Unreadable is how many records are none of the quarantine's or none of an action. Somebody else writes to its topics, or a newer version.
	Unreadable int
}

// Open reads the quarantine and the actions of a running system from their start to their end. Close the book.
func Open(ctx context.Context, client *kafka.Client, set *topics.Set) (b *Book, err error) {
	b = &Book{client: client, topics: set}
	for role, name := range map[topics.Role]*string{topics.Quarantine: &b.quarantine, topics.Actions: &b.actions} {
		topic, ok := set.ByRole(role)
		if !ok {
			return nil, fmt.Errorf("%s: no topic has role %s: declare one, then run `ebbgate topics apply`", set.File, role)
		}
		*name = topic.Name
	}
	if b.reader, err = client.OpenReader(time.Time{}); err != nil {
		return nil, err
	}
	if err := b.read(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Close gives the connections up.
func (b *Book) Close() { b.reader.Close() }

func (b *Book) read(ctx context.Context) error {
	byID := map[string]*Entry{}
	_, err := b.reader.Scan(ctx, b.quarantine, func(r *kgo.Record) {
		rec, err := quarantine.ParseRecord(r.Value)
		if err != nil {
			b.Unreadable++
			return
		}
		id := idOf(rec)
		if e, known := byID[id]; known {
			e.merge(rec)
			return
		}
		byID[id] = &Entry{ID: id, State: Waiting, Record: *rec, headers: r.Headers}
		b.entries = append(b.entries, byID[id])
	})
	if err != nil {
		return err
	}
	_, err = b.reader.Scan(ctx, b.actions, func(r *kgo.Record) {
		var a Action
		if json.Unmarshal(r.Value, &a) != nil {
			b.Unreadable++
			return
		}
		for _, id := range a.Entries {
			if e, known := byID[id]; known && became[a.Kind] != "" && a.State == marked {
				e.State = became[a.Kind]
			}
		}
	})
	slices.SortStableFunc(b.entries, func(x, y *Entry) int { return x.Last.Compare(y.Last) })
	return err
}

// Select gives the entries that the filter chooses, in the order in which they failed last.
func (b *Book) Select(f Filter) (list []*Entry) {
	for _, e := range b.entries {
		if f.wants(e) {
			list = append(list, e)
		}
	}
	return list
}

// Line is how many entries are alike.
type Line struct {
	Code   string    `json:"code"`
	Stage  string    `json:"stage"`
	Source string    `json:"source"`
	Event  string    `json:"event_name,omitempty"`
	State  string    `json:"state"`
	Count  int       `json:"count"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// Stats counts entries by code, stage, source, event and state; most first.
func Stats(entries []*Entry) []Line {
	type key struct{ code, stage, source, event, state string }
	at, lines := map[key]int{}, []Line{}
	for _, e := range entries {
		k := key{e.Code, e.Stage, e.Ref.Topic, e.EventName, e.State}
		i, known := at[k]
		if !known {
			i = len(lines)
			at[k] = i
			lines = append(lines, Line{Code: e.Code, Stage: e.Stage, Source: e.Ref.Topic, Event: e.EventName, State: e.State, First: e.First, Last: e.Last})
		}
		l := &lines[i]
		l.Count++
		if e.First.Before(l.First) {
			l.First = e.First
		}
		if e.Last.After(l.Last) {
			l.Last = e.Last
		}
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Compare(b.Count, a.Count) })
	return lines
}
