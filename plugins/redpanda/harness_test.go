package redpanda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/stage"
)

const waitLong = 30 * time.Second

const topicsYAML = `
defaults: {replication_factor: 1}
topics:
  events.raw: {role: raw, partitions: 1, retention: 7d, cleanup: delete}
  events.validated: {role: validated, partitions: 1, retention: 7d, cleanup: delete}
  events.dlq: {role: quarantine, partitions: 1, retention: 7d, cleanup: delete}
  inbound.copies: {role: inbound, partitions: 1, retention: 7d, cleanup: delete}
  inbound.more: {role: inbound, partitions: 1, retention: 7d, cleanup: delete}
  inbound.small: {role: inbound, partitions: 1, retention: 7d, cleanup: delete}
  privacy.consent: {role: consent, partitions: 1, cleanup: compact}
  privacy.decisions: {role: decisions, partitions: 1, retention: 7d, cleanup: delete}
  identity.links: {role: identity, partitions: 1, cleanup: compact}
  events.authorized.analytics: {destination: analytics, partitions: 1, retention: 7d, cleanup: delete}
  events.authorized.warehouse: {destination: warehouse, partitions: 1, retention: 7d, cleanup: delete}
`

// bench is one broker with topics and a workspace folder, and clients to look at it from outside.
type bench struct {
	t         testing.TB
	seeds     []string
	cluster   *kfake.Cluster
	cl        *kgo.Client
	adm       *kadm.Client
	workspace string
}

func newBench(t testing.TB, partitions int32, opts ...kfake.Opt) *bench {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "topics.yaml"), []byte(topicsYAML), 0o600))
	keyFile := filepath.Join(dir, "keys")
	require.NoError(t, keys.Init(keyFile))
	t.Setenv(keys.EnvironmentVariable, keyFile)
	opts = append([]kfake.Opt{
		kfake.SeedTopics(partitions, "events.raw", "inbound.copies"),
		kfake.SeedTopics(1, "events.validated", "events.dlq", "inbound.more", "events.authorized.analytics", "events.authorized.warehouse"),
	}, opts...)
	seeds, cluster := plugtest.Broker(t, opts...)
	cl, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MetadataMinAge(10*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return &bench{t: t, seeds: seeds, cluster: cluster, cl: cl, adm: kadm.NewClient(cl), workspace: dir}
}

func (b *bench) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), waitLong)
	b.t.Cleanup(cancel)
	return ctx
}

// produce writes values to a partition and returns nothing before they are durable.
func (b *bench) produce(topic string, partition int32, values ...string) {
	b.t.Helper()
	var recs []*kgo.Record
	for _, v := range values {
		recs = append(recs, &kgo.Record{Topic: topic, Partition: partition, Key: []byte("k"), Value: []byte(v)})
	}
	require.NoError(b.t, b.cl.ProduceSync(b.ctx(), recs...).FirstErr())
}

// recordWith is a record for partition 0.
func recordWith(topic, value string, headers map[string]string) *kgo.Record {
	rec := &kgo.Record{Topic: topic, Value: []byte(value)}
	for name, v := range headers {
		rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: name, Value: []byte(v)})
	}
	return rec
}

func numbered(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return out
}

// read returns the first n records of a topic, all partitions.
func (b *bench) read(topic string, n int) []*kgo.Record {
	b.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.seeds...), kgo.ConsumeTopics(topic))
	require.NoError(b.t, err)
	defer cl.Close()
	var out []*kgo.Record
	ctx := b.ctx()
	for len(out) < n {
		fetches := cl.PollFetches(ctx)
		require.NoError(b.t, ctx.Err(), "waiting for %d records of %s, have %d", n, topic, len(out))
		out = append(out, fetches.Records()...)
	}
	return out
}

// end is the number of offsets of partition 0 of a topic.
func (b *bench) end(topic string) int64 {
	b.t.Helper()
	ends, err := b.adm.ListEndOffsets(b.ctx(), topic)
	require.NoError(b.t, err)
	o, _ := ends.Lookup(topic, 0)
	return o.Offset
}

// committed is the group's offset and note for a partition; none if there is no commit.
func (b *bench) committed(group, topic string, partition int32) (int64, note) {
	b.t.Helper()
	offsets, err := b.adm.FetchOffsets(b.ctx(), group)
	if err != nil {
		return none, note{}
	}
	o, ok := offsets.Lookup(topic, partition)
	if !ok {
		return none, note{}
	}
	n, err := readNote(&o.Metadata)
	require.NoError(b.t, err)
	return o.At, n
}

func (b *bench) waitCommitted(group, topic string, partition int32, offset int64) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		at, _ := b.committed(group, topic, partition)
		return at == offset
	}, waitLong, 5*time.Millisecond, "waiting for %s to commit %s/%d@%d", group, topic, partition, offset)
}

func (b *bench) inputYAML(extra string) string {
	return fmt.Sprintf(`
redpanda:
  seed_brokers: [ %q ]
  topics: [ events.raw ]
  consumer_group: g
  session_timeout: 10s
  rebalance_timeout: 3s
  heartbeat_interval: 100ms
  fetch_max_wait: 50ms
  metadata_max_age: 1s
%s`, strings.Join(b.seeds, ","), indent(extra))
}

func (b *bench) outputYAML(topic, extra string) string {
	return fmt.Sprintf(`
redpanda:
  seed_brokers: [ %q ]
  topic: %q
  workspace: %q
%s`, strings.Join(b.seeds, ","), topic, b.workspace, indent(extra))
}

func indent(text string) string {
	var out strings.Builder
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		out.WriteString("  " + line + "\n")
	}
	return out.String()
}

func environment(t testing.TB) *service.Environment {
	t.Helper()
	env := service.NewEnvironment()
	require.NoError(t, Register(env))
	return env
}

// newTestInput builds the input alone, with quick replays.
func (b *bench) newTestInput(extra string) *input {
	b.t.Helper()
	conf, err := inputSpec().ParseYAML(strings.TrimPrefix(dedent(b.inputYAML(extra)), "redpanda:\n"), environment(b.t))
	require.NoError(b.t, err)
	in, err := newInput(conf, service.MockResources())
	require.NoError(b.t, err)
	in.nackFirst, in.nackMost = time.Millisecond, 10*time.Millisecond
	return in
}

// dedent takes the component's name and its indentation off.
func dedent(text string) string {
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimLeft(text, "\n"), "\n") {
		if strings.HasPrefix(line, "redpanda:") {
			continue
		}
		out.WriteString(strings.TrimPrefix(line, "  ") + "\n")
	}
	return out.String()
}

func (b *bench) connect(in *input) {
	b.t.Helper()
	require.NoError(b.t, in.Connect(b.ctx()))
	b.t.Cleanup(func() { _ = in.Close(context.Background()) })
}

// got is a chunk as it arrives from the input.
type got struct {
	batch service.MessageBatch
	ack   service.AckFunc
}

func (b *bench) next(in *input) got {
	b.t.Helper()
	batch, ack, err := in.ReadBatch(b.ctx())
	require.NoError(b.t, err)
	return got{batch, ack}
}

func (g got) done(t testing.TB, err error) {
	t.Helper()
	require.NoError(t, g.ack(context.Background(), err))
}

func (g got) values(t testing.TB) []string {
	t.Helper()
	out := make([]string, len(g.batch))
	for i, msg := range g.batch {
		body, err := msg.AsBytes()
		require.NoError(t, err)
		out[i] = string(body)
	}
	return out
}

func (g got) span() string {
	at, _ := stage.PositionOf(g.batch[0])
	return fmt.Sprintf("%d:%d-%d", at.Chunk.Partition, at.Chunk.First, at.Chunk.Last)
}

func meta(msg *service.Message, name string) string {
	v, _ := msg.MetaGet(name)
	return v
}

// stream runs a real stream; the function it returns stops it.
func (b *bench) stream(input, processors, output string, s *sink) (stop func()) {
	b.t.Helper()
	env := environment(b.t)
	if s != nil {
		require.NoError(b.t, env.RegisterBatchOutput("test_sink", service.NewConfigSpec(), func(*service.ParsedConfig, *service.Resources) (service.BatchOutput, service.BatchPolicy, int, error) {
			return s, service.BatchPolicy{}, 4, nil
		}))
	}
	builder := env.NewStreamBuilder()
	require.NoError(b.t, builder.SetLoggerYAML(`level: NONE`))
	require.NoError(b.t, builder.AddInputYAML(input))
	if processors != "" {
		require.NoError(b.t, builder.AddProcessorYAML(processors))
	}
	require.NoError(b.t, builder.AddOutputYAML(output))
	return b.run(builder)
}

// run starts the stream; the function it returns stops it.
func (b *bench) run(builder *service.StreamBuilder) (stop func()) {
	b.t.Helper()
	stream, err := builder.Build()
	require.NoError(b.t, err)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- stream.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			_ = stream.StopWithin(2 * time.Second)
			cancel()
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				b.t.Errorf("running the stream: %v", err)
			}
		})
	}
	b.t.Cleanup(stop)
	return stop
}
