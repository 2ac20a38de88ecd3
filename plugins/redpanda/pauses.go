package redpanda

import (
	"context"
	"time"
)

// pauses are growing waits between tries.
type pauses struct{ first, most, now time.Duration }

// sleep reports whether the wait ran to its end.
func (b *pauses) sleep(ctx context.Context, stop <-chan struct{}) bool {
	b.now = min(max(2*b.now, b.first), b.most)
	timer := time.NewTimer(b.now)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	case <-ctx.Done():
		return false
	}
}
