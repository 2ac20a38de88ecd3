package redpanda

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTwoMembersShareThePartitionsAndLoseNothing(t *testing.T) {
	for _, balancer := range []string{"cooperative", "eager", "server"} {
		t.Run(balancer, func(t *testing.T) { rebalance(t, balancer) })
	}
}

// ledger is what all members of a group were handed together.
type ledger struct {
	t      *testing.T
	mu     sync.Mutex
	seen   map[string]int    // by value
	spans  map[string]string // by partition and first offset
	served chan struct{}
}

// consume acknowledges everything until ctx ends. A chunk that appears twice must be the same chunk.
func (l *ledger) consume(ctx context.Context, in *input) {
	for ctx.Err() == nil {
		batch, ack, err := in.ReadBatch(ctx)
		if err != nil {
			continue
		}
		g := got{batch: batch}
		l.mu.Lock()
		for _, v := range g.values(l.t) {
			l.seen[v]++
		}
		at, _, _ := strings.Cut(g.span(), "-")
		if was, ok := l.spans[at]; ok {
			assert.Equal(l.t, was, g.span(), "a chunk that comes back is the same")
		}
		l.spans[at] = g.span()
		l.mu.Unlock()
		_ = ack(context.Background(), nil)
		l.served <- struct{}{}
	}
}

func (l *ledger) wait(chunks int) {
	l.t.Helper()
	for range chunks {
		select {
		case <-l.served:
		case <-time.After(waitLong):
			l.t.Fatal("nothing arrives any more")
		}
	}
}

// rebalance lets members come and go while everything is consumed.
func rebalance(t *testing.T, balancer string) {
	const partitions, each = 6, 120
	b := newBench(t, partitions)
	for p := range int32(partitions) {
		b.produce("events.raw", p, numbered(fmt.Sprintf("p%d-", p), each)...)
	}
	l := &ledger{t: t, seen: map[string]int{}, spans: map[string]string{}, served: make(chan struct{}, 1<<16)}
	member := func() (leave func()) {
		in := b.newTestInput("chunk_offsets: 7\nchunk_period: 10ms\ngroup_balancer: " + balancer)
		b.connect(in)
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { l.consume(ctx, in) })
		return func() {
			cancel()
			wg.Wait()
			require.NoError(t, in.Close(context.Background()))
		}
	}
	first := member()
	l.wait(10)
	second := member()
	l.wait(20)
	first()
	l.wait(10)
	third := member()
	for p := range int32(partitions) {
		b.waitCommitted("g", "events.raw", p, each)
	}
	second()
	third()
	assert.Len(t, l.seen, partitions*each, "every record arrives")
}
