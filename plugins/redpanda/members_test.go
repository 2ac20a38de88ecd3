package redpanda

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
)

func TestAnAcknowledgementFromBeforeALossIsDropped(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, numbered("v", 3)...)
	in := b.newTestInput("chunk_period: 20ms")
	b.connect(in)
	old := b.next(in)
	fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Group: "g", TopLevel: true, Err: kerr.UnknownMemberID})
	require.NoError(t, fault.Wait(b.ctx(), 1))
	again := b.next(in) // the member joined anew and has the partition again
	assert.Equal(t, old.span(), again.span())
	assert.Equal(t, old.values(t), again.values(t))
	b.produce("events.raw", 0, "w")

	old.done(t, nil)
	observe := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Group: "g", Observe: true, Count: -1})
	beats := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Group: "g", TopLevel: true, Observe: true, Count: -1})
	require.NoError(t, beats.Wait(b.ctx(), 3))
	assert.Zero(t, observe.Hits(), "nothing is committed for an ownership that ended")

	again.done(t, nil)
	b.waitCommitted("g", "events.raw", 0, 3)
	assert.Equal(t, []string{"w"}, b.next(in).values(t))
}

func TestAChunkUnderWayIsFinishedBeforeItsPartitionMoves(t *testing.T) {
	b := newBench(t, 2)
	b.produce("events.raw", 0, numbered("a", 3)...)
	b.produce("events.raw", 1, numbered("b", 3)...)
	first := b.newTestInput("chunk_period: 20ms")
	first.patience = waitLong
	b.connect(first)
	held := []got{b.next(first), b.next(first)}

	second := b.newTestInput("chunk_period: 20ms")
	b.connect(second)
	require.Eventually(t, func() bool { // one partition is being given back
		first.session.mu.Lock()
		defer first.session.mu.Unlock()
		return len(first.session.parts["events.raw"]) == 1
	}, waitLong, time.Millisecond)
	for _, g := range held {
		g.done(t, nil)
	}
	b.waitCommitted("g", "events.raw", 0, 3)
	b.waitCommitted("g", "events.raw", 1, 3)
	b.produce("events.raw", 0, "new0")
	b.produce("events.raw", 1, "new1")
	moved := b.next(second)
	assert.Contains(t, moved.values(t)[0], "new", "what was finished is not read again")
	assert.Contains(t, b.next(first).values(t)[0], "new")
}

func TestAChunkThatIsNotFinishedInTimeComesBackTheSame(t *testing.T) {
	b := newBench(t, 2)
	b.produce("events.raw", 0, numbered("a", 3)...)
	b.produce("events.raw", 1, numbered("b", 3)...)
	first := b.newTestInput("chunk_period: 20ms")
	first.patience = 10 * time.Millisecond
	b.connect(first)
	held := map[string]got{}
	for range 2 {
		g := b.next(first)
		held[meta(g.batch[0], "kafka_partition")] = g
	}
	b.produce("events.raw", 0, "later0")
	b.produce("events.raw", 1, "later1")
	second := b.newTestInput("chunk_period: 20ms")
	b.connect(second)
	moved := b.next(second)
	p := meta(moved.batch[0], "kafka_partition")
	assert.Equal(t, held[p].values(t), moved.values(t))
	assert.Equal(t, held[p].span(), moved.span())
	held[p].done(t, nil) // too late: no longer this member's to commit
	moved.done(t, nil)
	next := b.next(second)
	assert.Contains(t, next.values(t)[0], "later")
}

func TestABrokerThatIsNotThereYetIsWaitedFor(t *testing.T) {
	b := newBench(t, 1)
	port := freePort(t)
	b.seeds = []string{fmt.Sprintf("127.0.0.1:%d", port)}
	stop := b.stream(b.inputYAML("chunk_period: 20ms"), "", b.outputYAML("inbound.copies", ""), nil)
	in := b.newTestInput("")
	require.Error(t, in.Connect(short(t)))
	results := in.ConnectionTest(short(t))
	require.Error(t, results[0].Err)

	late, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.SeedTopics(1, "events.raw", "inbound.copies", "events.dlq"))
	require.NoError(t, err)
	defer late.Close()
	defer stop()
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.seeds...))
	require.NoError(t, err)
	defer cl.Close()
	require.NoError(t, cl.ProduceSync(b.ctx(), recordWith("events.raw", "v", nil)).FirstErr())
	assert.Equal(t, "v", string(b.read("inbound.copies", 1)[0].Value))
}

func short(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestClosingIsQuickAndRepeatable(t *testing.T) {
	b := newBench(t, 3)
	b.produce("events.raw", 0, "v")
	b.committed("g", "events.raw", 0)
	running := goleak.IgnoreCurrent()
	in := b.newTestInput("chunk_period: 20ms")
	b.connect(in)
	b.next(in)
	began := time.Now()
	require.NoError(t, in.Close(context.Background()))
	require.NoError(t, in.Close(context.Background()))
	assert.Less(t, time.Since(began), 2*commitPatience)
	_, _, err := in.ReadBatch(b.ctx())
	require.Error(t, err)
	in = b.newTestInput("")
	require.NoError(t, in.Close(context.Background()), "an input that never connected")
	// The broker's side of a connection ends when it notices.
	require.Eventually(t, func() bool {
		return goleak.Find(running, goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*clientConn).read"),
			goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*clientConn).write")) == nil
	}, 20*time.Second, 50*time.Millisecond)
}

// A partition read ahead of its sink is paused, so that a stalled sink costs a bounded amount of memory, and goes on.
func TestAStalledSinkBoundsWhatIsReadAhead(t *testing.T) {
	b := newBench(t, 1)
	value := strings.Repeat("x", 1000)
	for range 150 { // in small batches: a broker never sends less than one
		b.produce("events.raw", 0, slices.Repeat([]string{value}, 20)...)
	}
	in := b.newTestInput("chunk_offsets: 50\nchunk_period: 20ms\nfetch_max_partition_bytes: 32KiB")
	b.connect(in)
	g := b.next(in)
	var p *partition
	require.Eventually(t, func() bool {
		p = in.session.find("events.raw", 0)
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.paused
	}, waitLong, time.Millisecond)
	held := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.cut.recs)
	}
	before := held()
	beats := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Group: "g", TopLevel: true, Observe: true, Count: -1})
	require.NoError(t, beats.Wait(b.ctx(), 5))
	assert.Equal(t, before, held(), "nothing more is read while the sink stands")
	assert.Less(t, before, 2000)
	for total := 0; ; {
		total += len(g.batch)
		g.done(t, nil)
		if total == 3000 {
			break
		}
		g = b.next(in)
	}
	b.waitCommitted("g", "events.raw", 0, 3000)
}
