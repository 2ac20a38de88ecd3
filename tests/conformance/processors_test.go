package conformance

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/plugins/all"
)

// processors are ours, with the least configuration each needs.
var processors = map[string]string{
	"strict_json": "strict_json: {}",
	"identity":    "identity: {}",
	"contract":    "contract: {}",
	"consent":     "consent: { state: { static: [ { user_id: nobody } ] } }",
	"redact":      "redact: {}",
	"quarantine":  "quarantine: { code: test.refused }",
	"repeats":     "repeats: { seed_brokers: [ 127.0.0.1:1 ] }",
}

const private = "ada@example.com"

func TestEveryProcessorIsListedHere(t *testing.T) {
	for _, c := range components(t) {
		if c.kind == "processor" {
			require.Contains(t, processors, c.name, "give it a configuration so that the rules below are checked")
		}
	}
}

// run sends a batch through one processor inside the engine and returns what comes out.
func run(t *testing.T, yaml string, batch service.MessageBatch) (out service.MessageBatch) {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	t.Setenv(state.EnvironmentStatic, "1")
	env, err := all.Environment(true) // a producer function comes in through inproc, which the allow-list refuses
	require.NoError(t, err)
	builder := env.NewStreamBuilder()
	require.NoError(t, builder.SetLoggerYAML("level: NONE"))
	require.NoError(t, builder.AddProcessorYAML(yaml))
	send, err := builder.AddBatchProducerFunc()
	require.NoError(t, err)
	require.NoError(t, builder.AddBatchConsumerFunc(func(_ context.Context, b service.MessageBatch) error {
		out = append(out, b...)
		return nil
	}))
	stream, err := builder.Build()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		if err := stream.Run(ctx); err != nil && ctx.Err() == nil {
			t.Errorf("the stream did not run: %v", err)
			cancel()
		}
	}()
	require.NoError(t, send(ctx, batch))
	require.NoError(t, stream.StopWithin(10*time.Second))
	<-ran
	return out
}

func each(t *testing.T, test func(t *testing.T, yaml string)) {
	for name, yaml := range processors {
		t.Run(name, func(t *testing.T) { test(t, yaml) })
	}
}

// The engine would let the original go on; ours turn it into a record of why it stopped, without values, unflagged.
func TestBrokenMessagesNeverGoOnAsTheyWere(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":         private,
		"duplicate names": `{"email":"` + private + `","email":"x"}`,
		"no event":        `{"subject":{"user_id":"` + private + `"},"subject":1}`,
		"empty":           "",
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, yaml string) {
				out := run(t, yaml, service.MessageBatch{service.NewMessage([]byte(body)), service.NewMessage([]byte(body))})
				require.Len(t, out, 2)
				for _, msg := range out {
					requireQuarantined(t, msg)
				}
			})
		})
	}
}

func TestFlaggedMessagesBecomeQuarantineRecords(t *testing.T) {
	each(t, func(t *testing.T, yaml string) {
		throw := `mapping: 'root = throw("it quotes ` + private + `")'`
		out := run(t, "processors: [ { "+throw+" }, { "+yaml+" } ]", service.MessageBatch{service.NewMessage([]byte(`{"a":"` + private + `"}`))})
		require.Len(t, out, 1)
		require.Equal(t, stage.CodeUpstreamFailed, requireQuarantined(t, out[0]))
	})
}

func requireQuarantined(t *testing.T, msg *service.Message) string {
	t.Helper()
	require.NoError(t, msg.GetError())
	body, err := msg.AsBytes()
	require.NoError(t, err)
	require.NotContains(t, string(body), private)
	rec, err := quarantine.ParseRecord(body)
	require.NoError(t, err)
	topic, _ := msg.MetaGet(stage.MetaTopic)
	require.Equal(t, "events.dlq", topic)
	return rec.Code
}

func TestProcessorsCloseAndLeaveNothingBehind(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	each(t, func(t *testing.T, yaml string) {
		run(t, yaml, service.MessageBatch{service.NewMessage([]byte("x"))})
	})
	goleak.VerifyNone(t, ignore)
}
