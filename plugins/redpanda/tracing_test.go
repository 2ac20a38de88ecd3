package redpanda

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

func get(headers []kgo.RecordHeader) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, h := range headers {
			if h.Key == name {
				return string(h.Value), true
			}
		}
		return "", false
	}
}

func verify(rec *kgo.Record, headers []kgo.RecordHeader) error {
	read, text, err := seal.FromHeaders(get(headers), rec.Topic, string(rec.Key), rec.Value)
	if err != nil {
		return err
	}
	return seal.NewVerifier(keys.ForTesting("x"), "analytics").Verify(read, text)
}

func TestATraceparentStandsBesideTheSeal(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "")
	out.tracer = hop.NewTracer(sdktrace.NewTracerProvider())
	require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{sealedMessage(`{"a":1}`)}))
	rec := b.read("events.authorized.analytics", 1)[0]
	require.NotNil(t, header(rec, hop.HeaderTraceparent))
	require.NoError(t, verify(rec, rec.Headers))
	for i, h := range rec.Headers {
		changed := append([]kgo.RecordHeader(nil), rec.Headers...)
		changed[i].Value = []byte(strings.ToUpper(string(h.Value)) + "0")
		if h.Key == hop.HeaderTraceparent {
			assert.NoError(t, verify(rec, changed), "no decision rests on it")
		} else {
			assert.Error(t, verify(rec, changed), h.Key)
		}
	}
}

func TestNoRecordIsRefusedBecauseItIsTraced(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("events.raw", "")
	out.tracer = hop.NewTracer(sdktrace.NewTracerProvider())
	limit := out.limit("events.raw")
	msg := message("", "0", nil)
	room := limit - batchSize(&kgo.Record{Topic: "events.raw", Headers: lineageOf(t, out, msg)})
	msg.SetBytes(bytes.Repeat([]byte("x"), int(room)-30))
	require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{msg}))
	assert.Nil(t, header(b.read("events.raw", 1)[0], hop.HeaderTraceparent))
}

func lineageOf(t *testing.T, out *output, msg *service.Message) []kgo.RecordHeader {
	t.Helper()
	recs, err := out.records(service.MessageBatch{msg})
	require.NoError(t, err)
	return recs[0].Headers
}

// lines is a log that several goroutines write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// hops runs a stream from a topic to another and returns its log.
func (b *bench) hops(from, to, share string) *lines {
	b.t.Helper()
	log := &lines{}
	builder := environment(b.t).NewStreamBuilder()
	builder.SetLogger(slog.New(slog.NewTextHandler(log, nil)))
	input := strings.Replace(b.inputYAML("chunk_period: 20ms"), "events.raw", from, 1)
	require.NoError(b.t, builder.AddInputYAML(strings.Replace(input, "consumer_group: g", "consumer_group: from-"+from, 1)))
	require.NoError(b.t, builder.AddOutputYAML(b.outputYAML(to, "log_sample: "+share)))
	b.run(builder)
	return log
}

// hopsOf returns the ids of the events that were logged, in order, and the fields of the first line. Their order varies.
func hopsOf(log *lines) (ids []string, fields []string) {
	for line := range strings.Lines(log.String()) {
		_, rest, found := strings.Cut(line, "msg=hop ")
		if !found {
			continue
		}
		if fields == nil {
			fields = strings.Fields(rest)
		}
		_, id, _ := strings.Cut(rest, "event_id=")
		ids = append(ids, strings.Fields(id)[0])
	}
	return ids, fields
}

func TestASampledEventIsLoggedAtEveryHopWithItsAttempt(t *testing.T) {
	b := newBench(t, 1)
	fault := kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "inbound.more", Err: kerr.TopicAuthorizationFailed, Count: 1}
	b.cluster.Fault(fault)
	const canary = "ada@example.com"
	var recs []*kgo.Record
	for _, id := range numbered("evt_", 200) {
		recs = append(recs, recordWith("events.raw", `{"email":"`+canary+`"}`, map[string]string{"event_id": id, "correlation_id": "req_" + id, "note": canary}))
	}
	recs = append(recs, recordWith("events.raw", "{}", map[string]string{"event_id": canary}))
	require.NoError(t, b.cl.ProduceSync(b.ctx(), recs...).FirstErr())
	first, second := b.hops("events.raw", "inbound.copies", "0.1"), b.hops("inbound.copies", "inbound.more", "0.1")
	b.waitCommitted("from-inbound.copies", "inbound.copies", 0, 201)

	ids, here := hopsOf(first)
	assert.InDelta(t, 20, len(ids), 15, "a tenth")
	same, there := hopsOf(second)
	assert.Equal(t, ids, same, "the same events at every hop")
	who := []string{"event_id=" + ids[0], "correlation_id=req_" + ids[0], "partition=0", "outcome=written"}
	assert.Subset(t, here, append(who, "topic=inbound.copies", "attempt=1"))
	assert.Subset(t, there, append(who, "topic=inbound.more", "attempt=2"))
	assert.NotContains(t, first.String()+second.String(), canary)
}

func attempts(g got) int {
	at, _ := stage.PositionOf(g.batch[0])
	return at.Chunk.Attempt
}

func TestAttemptsAreCountedPerChunk(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, "v")
	in := b.newTestInput("chunk_period: 20ms")
	b.connect(in)
	for attempt := 1; attempt <= 3; attempt++ {
		g := b.next(in)
		assert.Equal(t, attempt, attempts(g))
		g.done(t, errors.New("not now"))
	}
	b.next(in).done(t, nil)
	b.waitCommitted("g", "events.raw", 0, 1)
	b.produce("events.raw", 0, "w")
	g := b.next(in)
	assert.Equal(t, 1, attempts(g))
	require.NoError(t, g.ack(context.Background(), nil))
}
