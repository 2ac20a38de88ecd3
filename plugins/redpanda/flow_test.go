package redpanda

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInputToOutputCarriesEverythingWithLineage(t *testing.T) {
	b := newBench(t, 1)
	want := numbered("v", 250)
	b.produce("events.raw", 0, want...)
	stop := b.stream(b.inputYAML("chunk_offsets: 100\nchunk_period: 50ms"), "", b.outputYAML("inbound.copies", ""), nil)

	recs := b.read("inbound.copies", 250)
	var values []string
	for _, r := range recs {
		values = append(values, string(r.Value))
	}
	assert.Equal(t, want, values)
	headers := map[string]string{}
	for _, h := range recs[7].Headers {
		headers[h.Key] = string(h.Value)
	}
	assert.Equal(t, map[string]string{"src_topic": "events.raw", "src_partition": "0", "src_offset": "7"}, headers)
	b.waitCommitted("g", "events.raw", 0, 250)
	stop()
	assert.EqualValues(t, 250, b.end("inbound.copies"), "nothing is written twice")
}

func TestChunksEndAtMultiplesAndEarlyOnesAreWrittenDownFirst(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, numbered("v", 25)...)
	in := b.newTestInput("chunk_offsets: 10\nchunk_period: 20ms")
	b.connect(in)

	for _, span := range []string{"0:0-9", "0:10-19"} {
		g := b.next(in)
		require.Equal(t, span, g.span())
		g.done(t, nil)
	}
	g := b.next(in)
	require.Equal(t, "0:20-24", g.span())
	at, n := b.committed("g", "events.raw", 0)
	assert.EqualValues(t, 20, at)
	require.NotNil(t, n.Last, "an early end is committed before the chunk is handed out")
	assert.EqualValues(t, 24, *n.Last)
	g.done(t, nil)
	b.waitCommitted("g", "events.raw", 0, 25)
}
