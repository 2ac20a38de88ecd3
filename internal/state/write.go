package state

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/kafka"
)

// ReadConsent returns the current consent record of a subject key from the compacted topic, or nil when there is none.
func ReadConsent(ctx context.Context, client *kafka.Client, topic, key string) (*consent.Record, error) {
	view := kafka.NewView(kafka.ViewConfig[*consent.Record]{Topic: topic, Decode: decodeConsent})
	follower := kafka.NewFollower(client, nil, view)
	defer follower.Close(context.WithoutCancel(ctx))
	var current *consent.Record
	err := follower.Read(ctx, func() {
		if entry, ok := view.Get(key); ok {
			current = entry.Value
			if entry.Unreadable {
				current = unreadableConsent
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("reading the consent of the subject: %w", err)
	}
	return current, nil
}

// WriteConsent changes the stated purposes of a subject, keeps the others, and returns the record now in force. Its
// version is one above the current one: a reader ignores older versions. It returns once the record is durable. Two
// writers at the same time can end up with one version; the later record then counts.
func WriteConsent(ctx context.Context, client *kafka.Client, topic, key string, purposes map[string]bool, source string, at time.Time) (*consent.Record, error) {
	current, err := ReadConsent(ctx, client, topic, key)
	if err != nil {
		return nil, err
	}
	next := &consent.Record{Version: 1, Purposes: map[string]bool{}, Source: source, ChangedAt: at.UTC()}
	if current != nil {
		next.Version = current.Version + 1
		maps.Copy(next.Purposes, current.Purposes)
	}
	maps.Copy(next.Purposes, purposes)
	if err := client.Write(ctx, topic, key, next.Append(nil)); err != nil {
		return nil, err
	}
	return next, nil
}
