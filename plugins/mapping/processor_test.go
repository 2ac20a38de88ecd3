package mapping

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
)

const private = "ada@example.com"

type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// run maps one message inside the engine, everything logged, and returns what came out and the log.
func run(t *testing.T, yaml, body string) (service.MessageBatch, string) {
	t.Helper()
	return runIn(t, replaced(t), yaml, body)
}

func replaced(t *testing.T) *service.Environment {
	t.Helper()
	env := service.NewEnvironment()
	require.NoError(t, Replace(env))
	return env
}

// runIn maps the messages as one batch.
func runIn(t *testing.T, env *service.Environment, yaml string, bodies ...string) (service.MessageBatch, string) {
	t.Helper()
	var batch service.MessageBatch
	for _, body := range bodies {
		batch = append(batch, service.NewMessage([]byte(body)))
	}
	return runBatch(t, env, yaml, batch)
}

func runBatch(t *testing.T, env *service.Environment, yaml string, batch service.MessageBatch) (service.MessageBatch, string) {
	t.Helper()
	builder := env.NewStreamBuilder()
	log := &safeBuffer{}
	builder.SetLogger(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug - 4})))
	require.NoError(t, builder.AddProcessorYAML(yaml))
	send, err := builder.AddBatchProducerFunc()
	require.NoError(t, err)
	var out service.MessageBatch
	require.NoError(t, builder.AddBatchConsumerFunc(func(_ context.Context, b service.MessageBatch) error {
		out = append(out, b...)
		return nil
	}))
	stream, err := builder.Build()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- stream.Run(ctx) }()
	require.NoError(t, send(ctx, batch))
	require.NoError(t, stream.StopWithin(10*time.Second))
	<-ran
	return out, log.text.String()
}

func TestAFailureQuotesNothing(t *testing.T) {
	for _, yaml := range []string{
		"mapping: root.n = this.email.number()",
		"bloblang: root.n = this.email.number()",
		"mutation: root.n = this.email.number()",
		"mapping: |\n  root = this\n  root.n = this.email.ts_parse(\"2006\")",
		"mapping: root = throw(this.email)",
		"mapping: root = if this.email { 1 }",
	} {
		t.Run(yaml, func(t *testing.T) {
			out, log := run(t, yaml, `{"email":"`+private+`"}`)
			require.Len(t, out, 1)
			require.ErrorContains(t, out[0].GetError(), "the mapping failed on line")
			require.NotContains(t, out[0].GetError().Error(), "ada@")
			require.Contains(t, log, "the mapping failed on line")
			require.NotContains(t, log, "ada@")
		})
	}
}

func TestMappingsDoWhatTheEnginesDo(t *testing.T) {
	for yaml, want := range map[string]string{
		"mapping: root.a = this.a + 1":                   `{"a":2}`,
		"bloblang: root.b = this.a":                      `{"b":1}`,
		"mutation: root.b = this.a":                      `{"a":1,"b":1}`,
		"mapping: root = deleted()":                      "",
		"mapping: root = content().string().uppercase()": `{"A":1}`,
	} {
		t.Run(yaml, func(t *testing.T) {
			out, _ := run(t, yaml, `{"a":1}`)
			if want == "" {
				require.Empty(t, out)
				return
			}
			require.Len(t, out, 1)
			body, err := out[0].AsBytes()
			require.NoError(t, err)
			require.Equal(t, want, string(body))
		})
	}
}

// A mapping is written for events. One that drops or rewrites what it does not know must not lose what is in quarantine.
func TestRecordsOfStagesPassUntouched(t *testing.T) {
	for _, yaml := range []string{
		`mapping: 'root = deleted()'`,
		`mutation: 'meta topic = "elsewhere"'`,
		`switch: [ { processors: [ { bloblang: 'root = deleted()' } ] } ]`,
	} {
		quarantined := service.NewMessage([]byte("x"))
		stage.SetQuarantine(quarantined, &quarantine.Record{Code: "event.syntax"})
		quarantined.MetaSet(stage.MetaTopic, "events.dlq")
		out, _ := runBatch(t, replaced(t), yaml, service.MessageBatch{quarantined})
		require.Len(t, out, 1, yaml)
		rec, ok := stage.Quarantine(out[0])
		require.True(t, ok)
		require.Equal(t, "event.syntax", rec.Code)
		topic, _ := out[0].MetaGet(stage.MetaTopic)
		require.Equal(t, "events.dlq", topic)
	}
}
