package redpanda

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkInputToOutput carries events of 1 KiB from one topic to another through a real stream. The broker runs in
// this process too, so the figure is of all three together.
func BenchmarkInputToOutput(b *testing.B) {
	const partitions = 4
	bench := newBench(b, partitions)
	value := []byte(strings.Repeat("x", 1024))
	ctx := bench.ctx()
	for i := range b.N {
		bench.cl.Produce(ctx, &kgo.Record{Topic: "events.raw", Partition: int32(i % partitions), Key: []byte("k"), Value: value}, nil)
	}
	require.NoError(b, bench.cl.Flush(ctx))
	b.SetBytes(1024)
	b.ReportAllocs()
	b.ResetTimer()
	stop := bench.stream(bench.inputYAML("chunk_period: 50ms"), "", bench.outputYAML("inbound.copies", ""), nil)
	for p := range int32(partitions) {
		want := int64((b.N + partitions - 1 - int(p)) / partitions)
		if want > 0 {
			bench.waitCommitted("g", "events.raw", p, want)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	stop()
}

// BenchmarkMessages is what the input adds to the engine's own cost: a batch made of a chunk.
func BenchmarkMessages(b *testing.B) {
	in := &input{}
	p := &partition{topic: "events.raw"}
	c := &chunk{first: 0, last: 999}
	for i := range 1000 {
		c.recs = append(c.recs, &kgo.Record{Offset: int64(i), Key: []byte("sk1abcdef"), Value: make([]byte, 1024), Timestamp: time.Unix(1, 0)})
	}
	b.ReportAllocs()
	for b.Loop() {
		in.messages(p, c, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/event")
}
