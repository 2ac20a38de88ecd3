package state

import (
	"context"
	"fmt"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/kafka"
)

// ReadConsent returns the current consent record of a subject key from the compacted topic, or nil when there is none.
func ReadConsent(ctx context.Context, client *kafka.Client, topic, key string) (*consent.Record, error) {
	entry, err := readEntry(ctx, client, topic, key, decodeConsent)
	if entry.Unreadable {
		return unreadableConsent, err
	}
	return entry.Value, err
}

// WriteConsent changes the stated purposes of a subject, keeps the others, and returns the record now in force. Its
// version is one above the current one: a reader ignores older versions. It returns once the record is durable. Two
// writers at the same time can end up with one version; the later record then counts.
func WriteConsent(ctx context.Context, client *kafka.Client, topic, key string, c consent.Choice) (*consent.Record, error) {
	entry, err := readEntry(ctx, client, topic, key, decodeConsent)
	if err != nil {
		return nil, err
	}
	var current *consent.Record
	if entry.Value != nil && !entry.Unreadable {
		current = entry.Value
		c.At = after(c.At, current.ChangedAt)
	}
	next, _ := current.With(c)
	next.Version = entry.Version + 1
	if err := client.Write(ctx, topic, key, next.Append(nil)); err != nil {
		return nil, err
	}
	return next, nil
}

// after is the moment of a statement that is the last word, even where a clock that was ahead of ours has dated the one before.
func after(at, last time.Time) time.Time {
	if !at.After(last) {
		at = last.Add(time.Millisecond)
	}
	return at
}

// ReadSuppression returns the current suppression of a subject key from the compacted topic, or nil when there is none.
func ReadSuppression(ctx context.Context, client *kafka.Client, topic, key string) (*consent.Suppression, error) {
	entry, err := readEntry(ctx, client, topic, key, decodeSuppression)
	if entry.Unreadable {
		return unreadableSuppression, err
	}
	return entry.Value, err
}

// WriteSuppression puts next in force for a subject and returns what then is, with a version given as WriteConsent does. Its
// channels add to those of a suppression in force, so that one channel's unsubscribe never narrows an earlier refusal of all.
func WriteSuppression(ctx context.Context, client *kafka.Client, topic, key string, next consent.Suppression) (*consent.Suppression, error) {
	entry, err := readEntry(ctx, client, topic, key, decodeSuppression)
	if err != nil {
		return nil, err
	}
	var current *consent.Suppression
	switch {
	case entry.Unreadable: // it suppressed all channels, and the next one does, unless it lifts
		next.Channels = nil
	case entry.Value != nil:
		current = entry.Value
		next.ChangedAt = after(next.ChangedAt, current.ChangedAt)
	}
	written, _ := current.With(next)
	written.Version = entry.Version + 1
	if err := client.Write(ctx, topic, key, written.Append(nil)); err != nil {
		return nil, err
	}
	return written, nil
}

// readEntry reads the topic up to its end. Where the key has no record it returns the zero entry; where the last one cannot be
// read, the entry is Unreadable and its version is still the one that a new record has to exceed.
func readEntry[T any](ctx context.Context, client *kafka.Client, topic, key string, decode func([]byte) (T, int64, error)) (entry kafka.Entry[T], err error) {
	view := kafka.NewView(kafka.ViewConfig[T]{Topic: topic, Decode: decode})
	follower := kafka.NewFollower(client, nil, view)
	defer follower.Close(context.WithoutCancel(ctx))
	if err := follower.Read(ctx, func() { entry, _ = view.Get(key) }); err != nil {
		return entry, fmt.Errorf("reading %s for the subject: %w", topic, err)
	}
	return entry, nil
}
