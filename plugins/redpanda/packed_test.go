package redpanda

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/stage"
)

const packedInput = "chunk_offsets: 100\nchunk_period: 50ms\npacked: true"

func TestPackedChunksCarryEverythingWithLineage(t *testing.T) {
	b := newBench(t, 1)
	want := numbered("v", 250)
	b.produce("events.raw", 0, want...)
	stop := b.stream(b.inputYAML(packedInput), "", b.outputYAML("inbound.copies", ""), nil)

	recs := b.read("inbound.copies", 250)
	var values []string
	for _, r := range recs {
		values = append(values, string(r.Value))
	}
	assert.Equal(t, want, values)
	assert.Equal(t, "7", string(header(recs[7], stage.HeaderSrcOffset)))
	b.waitCommitted("g", "events.raw", 0, 250)
	stop()
	assert.EqualValues(t, 250, b.end("inbound.copies"), "nothing is written twice")
}

// TestAPackThatWasNotWrittenComesAgain: an acknowledgement alone is not enough, whoever gave it.
func TestAPackThatWasNotWrittenComesAgain(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, numbered("v", 100)...)
	in := b.newTestInput(packedInput)
	b.connect(in)
	for range 3 {
		g := b.next(in)
		require.Len(t, g.batch, 1)
		inside, _ := stage.Unpack(g.batch)
		require.Len(t, inside, 100)
		g.done(t, nil)
	}
	at, _ := b.committed("g", "events.raw", 0)
	require.LessOrEqual(t, at, int64(0))

	g := b.next(in)
	_, packing := stage.Unpack(g.batch)
	packing.Written()
	g.done(t, nil)
	b.waitCommitted("g", "events.raw", 0, 100)
}

// TestProcessorsOfOthersLoseNothingOfAPack runs each through the engine: events wait or go to quarantine, and are not lost.
func TestProcessorsOfOthersLoseNothingOfAPack(t *testing.T) {
	for name, processor := range map[string]string{
		"dropped":   `mapping: 'root = deleted()'`,
		"rewritten": `mapping: 'root = "something else"'`,
		"stripped":  `mapping: 'meta = deleted()'`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1)
			b.produce("events.raw", 0, numbered("v", 100)...)
			var handed atomic.Int32
			stop := b.streamCounting(b.inputYAML(packedInput), processor, b.outputYAML("inbound.copies", ""), &handed)
			require.Eventually(t, func() bool { return handed.Load() >= 3 }, waitLong, 5*time.Millisecond, "the chunk comes again")
			stop()
			at, _ := b.committed("g", "events.raw", 0)
			assert.LessOrEqual(t, at, int64(0), "nothing is committed")
			assert.Zero(t, b.end("inbound.copies"), "nothing is written")
		})
	}
	t.Run("failed", func(t *testing.T) {
		b := newBench(t, 1)
		b.produce("events.raw", 0, numbered("v", 100)...)
		b.stream(b.inputYAML(packedInput), `mapping: 'root = this.missing'`, b.outputYAML("inbound.copies", ""), nil)
		assert.Len(t, b.read("events.dlq", 100), 100)
		b.waitCommitted("g", "events.raw", 0, 100)
		assert.Zero(t, b.end("inbound.copies"))
	})
}

// streamCounting is stream with a processor before the others that counts what the input hands out.
func (b *bench) streamCounting(input, processor, output string, handed *atomic.Int32) (stop func()) {
	b.t.Helper()
	env := environment(b.t)
	require.NoError(b.t, env.RegisterProcessor("count_handed", service.NewConfigSpec(), func(*service.ParsedConfig, *service.Resources) (service.Processor, error) {
		return counting{handed}, nil
	}))
	builder := env.NewStreamBuilder()
	require.NoError(b.t, builder.SetLoggerYAML(`level: NONE`))
	require.NoError(b.t, builder.AddInputYAML(input))
	require.NoError(b.t, builder.AddProcessorYAML(`count_handed: {}`))
	require.NoError(b.t, builder.AddProcessorYAML(processor))
	require.NoError(b.t, builder.AddOutputYAML(output))
	return b.run(builder)
}

type counting struct{ n *atomic.Int32 }

func (c counting) Process(_ context.Context, msg *service.Message) (service.MessageBatch, error) {
	c.n.Add(1)
	return service.MessageBatch{msg}, nil
}

func (c counting) Close(context.Context) error { return nil }
