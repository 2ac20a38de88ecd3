// Package tracing runs streams with a tracer against a collector in this process.
package tracing

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/plugins/all"
)

const (
	canary      = "ada@example.com"
	senderTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	sendersOwn  = "00-" + senderTrace + "-00f067aa0ba902b7-01"
	topicsYAML  = `
defaults: {replication_factor: 1}
topics:
  inbound.events: {role: inbound, partitions: 1, retention: 7d, cleanup: delete}
  inbound.copies: {role: inbound, partitions: 1, retention: 7d, cleanup: delete}
  events.raw: {role: raw, partitions: 1, retention: 7d, cleanup: delete}
  events.dlq: {role: quarantine, partitions: 1, retention: 7d, cleanup: delete}
`
)

type rig struct {
	t     *testing.T
	seeds []string
	cl    *kgo.Client
	dir   string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "topics.yaml"), []byte(topicsYAML), 0o600))
	file := filepath.Join(dir, "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	seeds, _ := plugtest.Broker(t, kfake.SeedTopics(1, "inbound.events", "inbound.copies", "events.raw", "events.dlq"))
	cl, err := kgo.NewClient(kgo.SeedBrokers(seeds...))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return &rig{t, seeds, cl, dir}
}

// produce writes events as senders do; each has the traceparent given, unless that is empty.
func (r *rig) produce(traceparents ...string) {
	r.t.Helper()
	for i, text := range traceparents {
		rec := &kgo.Record{Topic: "inbound.events", Value: []byte(`{"email":"` + canary + `"}`), Headers: []kgo.RecordHeader{
			{Key: "event_id", Value: fmt.Appendf(nil, "evt_%d", i)}, {Key: "note", Value: []byte(canary)},
		}}
		if text != "" {
			rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: "traceparent", Value: []byte(text)})
		}
		if text == sendersOwn { // as if a hop of ours had written it
			for name, value := range map[string]string{"src_topic": "events.raw", "src_partition": "0", "src_offset": "0"} {
				rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
			}
		}
		require.NoError(r.t, r.cl.ProduceSync(r.t.Context(), rec).FirstErr())
	}
}

// stream carries one topic to another until the test ends.
func (r *rig) stream(from, to, tracer string) {
	r.t.Helper()
	env, err := all.Environment(false)
	require.NoError(r.t, err)
	b := env.NewStreamBuilder()
	require.NoError(r.t, b.SetLoggerYAML(`level: NONE`))
	if tracer != "" {
		require.NoError(r.t, b.SetTracerYAML(tracer))
	}
	require.NoError(r.t, b.AddInputYAML(fmt.Sprintf("redpanda: { seed_brokers: [ %s ], topics: [ %s ], consumer_group: from-%[2]s, chunk_period: 20ms, fetch_max_wait: 50ms, workspace: %q }", r.seeds[0], from, r.dir)))
	require.NoError(r.t, b.AddProcessorYAML(`mapping: 'meta x = "y"'`))
	require.NoError(r.t, b.AddOutputYAML(fmt.Sprintf("redpanda: { seed_brokers: [ %s ], topic: %s, workspace: %q, metadata: { include_patterns: [ '.*' ] } }", r.seeds[0], to, r.dir)))
	r.run(b)
}

func (r *rig) run(b *service.StreamBuilder) {
	r.t.Helper()
	stream, err := b.Build()
	require.NoError(r.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = stream.Run(ctx) }()
	r.t.Cleanup(func() { _ = stream.StopWithin(2 * time.Second); cancel(); <-ended })
}

// read returns the first n records of a topic.
func (r *rig) read(topic string, n int) (recs []*kgo.Record) {
	r.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(r.seeds...), kgo.ConsumeTopics(topic))
	require.NoError(r.t, err)
	defer cl.Close()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	for len(recs) < n {
		fetches := cl.PollFetches(ctx)
		require.NoError(r.t, ctx.Err(), "waiting for %d records of %s", n, topic)
		recs = append(recs, fetches.Records()...)
	}
	return recs
}

func header(rec *kgo.Record, name string) (values []string) {
	for _, h := range rec.Headers {
		if h.Key == name {
			values = append(values, string(h.Value))
		}
	}
	return values
}

// A collector that is busy at first gets every span in the end, with its credentials, and events do not wait for it.
func TestABusyCollectorLosesNothing(t *testing.T) {
	t.Setenv("COLLECTOR_HEADERS", "authorization=Bearer%20abc")
	r, c := newRig(t), newCollector(t)
	c.busy = 2
	r.produce("", "", "")
	r.stream("inbound.events", "events.raw", "open_telemetry_collector: { http: [ { address: "+c.url+", headers_env: COLLECTOR_HEADERS } ] }")
	require.Len(t, r.read("events.raw", 3), 3)
	require.Eventually(t, func() bool { return len(c.named("send events.raw")) == 3 }, 20*time.Second, 5*time.Millisecond)
	c.mu.Lock()
	defer c.mu.Unlock()
	require.Zero(t, c.busy)
	for _, header := range c.seen {
		require.Equal(t, "Bearer abc", header.Get("Authorization"))
	}
}

func tracerYAML(c *collector, more string) string {
	return "open_telemetry_collector: { http: [ { address: " + c.url + " } ]" + more + " }"
}

func TestOneTraceLeadsAcrossTopics(t *testing.T) {
	r, c := newRig(t), newCollector(t)
	r.produce("", sendersOwn, strings.ToUpper(sendersOwn))
	r.stream("inbound.events", "events.raw", tracerYAML(c, ""))
	r.stream("events.raw", "inbound.copies", tracerYAML(c, ""))
	raw, copies := r.read("events.raw", 3), r.read("inbound.copies", 3)
	require.Eventually(t, func() bool {
		return len(c.named("process events.raw")) == 3 && len(c.named("send inbound.copies")) == 3
	}, 20*time.Second, 5*time.Millisecond)
	entered, sent := c.named("process inbound.events"), c.named("send events.raw")
	went, left := c.named("process events.raw"), c.named("send inbound.copies")
	require.Len(t, entered, 3)
	require.Len(t, sent, 3)
	for i := range 3 {
		assert.Empty(t, entered[i].ParentSpanId, "where an event enters, a trace begins")
		assert.NotEqual(t, senderTrace, hex.EncodeToString(entered[i].TraceId), "a sender chooses no ids")
		assert.Equal(t, entered[i].SpanId, sent[i].ParentSpanId)
		assert.Equal(t, []string{traceparentOf(sent[i])}, header(raw[i], "traceparent"))
		assert.Equal(t, sent[i].SpanId, went[i].ParentSpanId, "the next hop goes on from the record")
		assert.Equal(t, went[i].SpanId, left[i].ParentSpanId)
		assert.Equal(t, []string{traceparentOf(left[i])}, header(copies[i], "traceparent"))
		assert.Equal(t, entered[i].TraceId, left[i].TraceId, "one trace from the door on")
	}
	assert.Empty(t, entered[0].Links)
	require.Len(t, entered[1].Links, 1, "the sender's span is linked")
	assert.Equal(t, senderTrace, hex.EncodeToString(entered[1].Links[0].TraceId))
	assert.Empty(t, entered[2].Links, "a malformed header is none")
	assert.NotContains(t, c.everything(), canary)
	assert.Contains(t, c.everything(), "evt_1")
}

func TestWithoutATracerNoRecordIsTraced(t *testing.T) {
	c := newCollector(t)
	for _, tracer := range []string{"", "open_telemetry_collector: { http: [ { address: '' } ] }", tracerYAML(c, ", sampling: { enabled: true, ratio: 0 }")} {
		t.Run(tracer, func(t *testing.T) {
			r := newRig(t)
			r.produce("", sendersOwn)
			r.stream("inbound.events", "events.raw", tracer)
			for _, rec := range r.read("events.raw", 2) {
				assert.Empty(t, header(rec, "traceparent"), "also not the sender's")
			}
		})
	}
	assert.Empty(t, c.everything())
}
