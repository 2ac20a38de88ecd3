// Package gate runs the shipped pipelines, and pipelines wired wrongly on purpose, against a broker, and looks at what
// lies on the topics afterwards.
package gate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/workspace"
	"github.com/ebbgate/ebbgate/plugins/all"
)

// patience bounds every wait; no test is meant to come near it.
const patience = 60 * time.Second

// house is a broker with the topics of the shipped workspace, and keys.
type house struct {
	t      *testing.T
	seeds  []string
	client *kgo.Client
	admin  *kadm.Client
	ws     *workspace.Workspace
	ring   *keys.Ring
}

func newHouse(t *testing.T, opts ...kfake.Opt) *house {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	seeds, _ := plugtest.Broker(t, opts...)
	t.Setenv("EBBGATE_BROKERS", strings.Join(seeds, ","))

	h := &house{t: t, seeds: seeds}
	var err error
	h.ring, err = keys.FromEnvironment()
	require.NoError(t, err)
	h.ws, err = workspace.Load("pipelines")
	require.NoError(t, err)
	h.client, err = kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	require.NoError(t, err)
	t.Cleanup(h.client.Close)
	h.admin = kadm.NewClient(h.client)
	h.apply(h.ws.Topics)
	return h
}

func (h *house) apply(set *topics.Set) {
	h.t.Helper()
	_, err := kafka.ApplyTopics(h.ctx(), h.admin, set)
	require.NoError(h.t, err)
}

func (h *house) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	h.t.Cleanup(cancel)
	return ctx
}

// publish produces values to a topic, in order, each keyed by its number unless a key is given.
func (h *house) publish(topic string, values ...string) {
	h.t.Helper()
	for i, value := range values {
		h.produce(&kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "%d", i), Value: []byte(value)})
	}
}

func (h *house) produce(rec *kgo.Record) {
	h.t.Helper()
	require.NoError(h.t, h.client.ProduceSync(h.ctx(), rec).FirstErr())
}

// read returns everything a topic holds now.
func (h *house) read(topic string) []*kgo.Record {
	h.t.Helper()
	ends, err := h.admin.ListEndOffsets(h.ctx(), topic)
	require.NoError(h.t, err)
	total, partitions := int64(0), map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		total += o.Offset
		partitions[o.Partition] = kgo.NewOffset().AtStart()
	})
	if total == 0 {
		return nil
	}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(h.seeds...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: partitions}))
	require.NoError(h.t, err)
	defer consumer.Close()
	var records []*kgo.Record
	for int64(len(records)) < total {
		fetches := consumer.PollFetches(h.ctx())
		require.NoError(h.t, fetches.Err())
		records = append(records, fetches.Records()...)
	}
	return records
}

// stream starts a pipeline and stops it when the test ends, or earlier by calling what it returns.
func (h *house) stream(yaml string) (stop func()) {
	h.t.Helper()
	env, err := all.Environment(false)
	require.NoError(h.t, err)
	builder := env.NewStreamBuilder()
	require.NoError(h.t, builder.SetYAML(yaml))
	level := os.Getenv("EBBGATE_TEST_LOG")
	if level == "" {
		level = "NONE"
	}
	require.NoError(h.t, builder.SetLoggerYAML("level: "+level))
	stream, err := builder.Build()
	require.NoError(h.t, err)
	return h.start(stream)
}

func (h *house) start(stream *service.Stream) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := stream.Run(ctx)
		if ctx.Err() == nil {
			h.t.Errorf("the stream ended by itself: %v", err)
		}
		done <- err
	}()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		<-done
	}
	h.t.Cleanup(stop)
	return stop
}

// shipped starts a stream of the workspace, changed by pairs of old and new text.
func (h *house) shipped(name string, replace ...string) (stop func()) {
	h.t.Helper()
	yaml, err := os.ReadFile(filepath.Join("pipelines", "streams", name+".yaml"))
	require.NoError(h.t, err)
	for i := 0; i < len(replace); i += 2 {
		require.Contains(h.t, string(yaml), replace[i])
	}
	return h.stream(strings.NewReplacer(replace...).Replace(string(yaml)))
}

// drained waits until a group has committed everything its topic holds.
func (h *house) drained(group, topic string) {
	h.t.Helper()
	h.until(func() bool {
		ends, err := h.admin.ListEndOffsets(h.ctx(), topic)
		if err != nil {
			return false
		}
		committed, err := h.admin.FetchOffsets(h.ctx(), group)
		if err != nil {
			return false
		}
		behind := false
		ends.Each(func(o kadm.ListedOffset) {
			at, ok := committed.Lookup(o.Topic, o.Partition)
			behind = behind || (o.Offset > 0 && (!ok || at.At < o.Offset))
		})
		return !behind
	}, "%s has not drained %s", group, topic)
}

func (h *house) until(condition func() bool, format string, args ...any) {
	h.t.Helper()
	require.Eventually(h.t, condition, patience, 20*time.Millisecond, fmt.Sprintf(format, args...))
}

// codes counts what lies in quarantine.
func (h *house) codes() map[string]int {
	h.t.Helper()
	counts := map[string]int{}
	for _, rec := range h.read("events.dlq") {
		counts[header(rec, "code")]++
	}
	return counts
}

func header(rec *kgo.Record, name string) string {
	for _, hd := range rec.Headers {
		if hd.Key == name {
			return string(hd.Value)
		}
	}
	return ""
}

// holds tells whether any record of the topics has the text anywhere.
func (h *house) holds(text string, names ...string) bool {
	h.t.Helper()
	for _, name := range names {
		for _, rec := range h.read(name) {
			if strings.Contains(string(rec.Value), text) || strings.Contains(string(rec.Key), text) {
				return true
			}
			for _, hd := range rec.Headers {
				if strings.Contains(string(hd.Value), text) {
					return true
				}
			}
		}
	}
	return false
}

var authorized = []string{"events.authorized.analytics", "events.authorized.warehouse", "events.authorized.activation"}

// secret is planted in every direct identifier of an event and may be nowhere but in raw and validated topics.
const secret = "canary-7f3a"

// form is a form_submitted event with consent as given, full of direct identifiers.
func form(id, user, consent string) string {
	return fmt.Sprintf(`{"event_name":"form_submitted","event_id":%q,"timestamp":%q,"subject":{"user_id":%q},`+
		`"consent":%s,"context":{"source":"web_app","schema_version":"1.0.0","ip":"192.0.2.77","user_agent":"%s"},`+
		`"properties":{"form_id":"demo","email":"%s@example.com","message":"call %s on 0170 1234567","company_size":20}}`,
		id, time.Now().UTC().Format(time.RFC3339), user, consent, secret, secret, secret)
}

const (
	yes       = `{"analytics":true,"marketing":true}`
	noMarket  = `{"analytics":true,"marketing":false}`
	noConsent = `{}`
)
