package redpanda

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/plugtest"
)

// The broker is killed while a stream runs, twice. Everything arrives; what arrives again names the same source offset,
// by which the next hop knows it.
func TestNothingIsLostWhenTheBrokerIsKilled(t *testing.T) {
	b := newBench(t, 1) // its keys and workspace; its broker is not used
	broker := plugtest.BrokerProcess(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(broker.Address()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer cl.Close()
	b.seeds, b.cl, b.adm = []string{broker.Address()}, cl, kadm.NewClient(cl)
	_, err = b.adm.CreateTopics(b.ctx(), 1, 1, nil, "events.raw", "inbound.copies", "events.dlq")
	require.NoError(t, err)
	want := numbered("v", 3000)
	b.produce("events.raw", 0, want...)

	stop := b.stream(b.inputYAML("chunk_offsets: 50\nchunk_period: 20ms"), "", b.outputYAML("inbound.copies", "timeout: 2s"), nil)
	for _, after := range []int64{300, 1500} {
		require.Eventually(t, func() bool {
			ends, err := b.adm.ListEndOffsets(b.ctx(), "inbound.copies")
			o, _ := ends.Lookup("inbound.copies", 0)
			return err == nil && o.Offset >= after
		}, waitLong, time.Millisecond)
		broker.Kill()
		broker.Start(t)
	}
	require.Eventually(t, func() bool {
		offsets, err := b.adm.FetchOffsets(b.ctx(), "g")
		o, _ := offsets.Lookup("events.raw", 0)
		return err == nil && o.At == 3000
	}, 2*waitLong, 5*time.Millisecond)
	stop()

	source := map[string]string{}
	for _, rec := range b.read("inbound.copies", int(b.end("inbound.copies"))) {
		for _, h := range rec.Headers {
			if h.Key != "src_offset" {
				continue
			}
			if was, again := source[string(rec.Value)]; again {
				assert.Equal(t, was, string(h.Value))
			}
			source[string(rec.Value)] = string(h.Value)
		}
	}
	assert.Len(t, source, 3000)
}
