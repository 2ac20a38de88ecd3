package kafka

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// backoff doubles its wait from first to most. It belongs to one goroutine.
type backoff struct {
	first, most, now time.Duration
}

func (b *backoff) reset() { b.now = 0 }

// sleep waits, or returns early when ctx ends.
func (b *backoff) sleep(ctx context.Context) {
	b.now = min(max(b.now*2, b.first), b.most)
	timer := time.NewTimer(b.now)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}
