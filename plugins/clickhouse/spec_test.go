package clickhouse

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/redpanda-data/benthos/v4/public/components/pure" // the logger, metrics and tracer of a stream
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

func environment(t *testing.T) *service.Environment {
	t.Helper()
	env := service.NewEnvironment()
	require.NoError(t, Register(env))
	return env
}

// withKeys puts a master file where the output looks for it.
func withKeys(t *testing.T) *keys.Ring {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(path))
	t.Setenv(keys.EnvironmentVariable, path)
	ring, err := keys.Load(path)
	require.NoError(t, err)
	return ring
}

// handed is an input that hands out one batch and ends with its acknowledgement.
type handed struct {
	batch service.MessageBatch
	acked chan error
	sent  bool
}

func (h *handed) Connect(context.Context) error { return nil }
func (h *handed) Close(context.Context) error   { return nil }
func (h *handed) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	if h.sent {
		return nil, nil, service.ErrEndOfInput
	}
	h.sent = true
	return h.batch, func(_ context.Context, err error) error {
		h.acked <- err
		return nil
	}, nil
}

// stream runs one batch through a configured stream and returns how it was acknowledged.
func stream(t *testing.T, config string, batch service.MessageBatch) error {
	t.Helper()
	in := &handed{batch: batch, acked: make(chan error, 1)}
	env := environment(t)
	require.NoError(t, env.RegisterBatchInput("handed", service.NewConfigSpec(), func(*service.ParsedConfig, *service.Resources) (service.BatchInput, error) {
		return in, nil
	}))
	builder := env.NewStreamBuilder()
	require.NoError(t, builder.SetYAML("input: {handed: {}}\nlogger: {level: NONE}\nmetrics: {none: {}}\ntracer: {none: {}}\n"+config))
	s, err := builder.Build()
	require.NoError(t, err)
	require.NoError(t, s.Run(t.Context()))
	return <-in.acked
}

func TestConfiguredStreamDelivers(t *testing.T) {
	t.Setenv("EBBGATE_STATIC_STATE", "1")
	s := newServer(t)
	ring := withKeys(t)
	events := run(0, 19)
	for _, e := range events {
		e.rec.Key = ring.SubjectPseudonym("user_id", "u1")
		e.rec.SubjectKey = e.rec.Key
		e.seal = seal.NewSealer(ring, testDestination).Seal(&e.rec)
	}
	withdrawn := events[3]
	withdrawn.rec.Key = ring.SubjectPseudonym("user_id", "u2")
	withdrawn.rec.SubjectKey = withdrawn.rec.Key
	withdrawn.seal = seal.NewSealer(ring, testDestination).Seal(&withdrawn.rec)
	config := `
output:
  clickhouse:
    dsn: ` + s.dsn + `
    destination: analytics
    workspace: ../../pipelines
    state:
      static:
        - user_id: u2
          purposes: { analytics: false }
`
	require.NoError(t, stream(t, config, chunkOf(events...)))
	assert.Equal(t, 19, s.count(t, "events"))

	var permanent *stage.PermanentError
	raw := newEvent(20).with(func(e *sealedEvent) { e.raw = true })
	require.ErrorAs(t, stream(t, config, chunkOf(raw)), &permanent, "the input can see which records are at fault")
	assert.Len(t, permanent.Refs, 1)
}

func TestRefusesToStart(t *testing.T) {
	t.Setenv("EBBGATE_STATIC_STATE", "1")
	for name, tc := range map[string]struct{ config, want string }{
		"unknown destination": {"destination: nobody\ndsn: http://127.0.0.1:1/x", `the policy has no destination "nobody"`},
		"unreadable DSN":      {"destination: analytics\ndsn: 'clickhouse://user:hunter2@[::1/x'", "the DSN must read"},
		"unknown source":      {"destination: analytics\ndsn: http://127.0.0.1:1/x\ncolumns: {a: '@b'}", "@b is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			withKeys(t)
			conf, err := outputSpec().ParseYAML(tc.config+"\nworkspace: ../../pipelines\nstate: {static: [{user_id: u1}]}", nil)
			require.NoError(t, err)
			_, err = fromParsed(conf, service.MockResources())
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
	t.Run("no keys", func(t *testing.T) {
		t.Setenv(keys.EnvironmentVariable, "")
		require.NoError(t, os.Unsetenv(keys.EnvironmentVariable))
		conf, err := outputSpec().ParseYAML("destination: analytics\ndsn: http://127.0.0.1:1/x\nworkspace: ../../pipelines\nstate: {static: [{user_id: u1}]}", nil)
		require.NoError(t, err)
		_, err = fromParsed(conf, service.MockResources())
		require.ErrorIs(t, err, keys.ErrAbsent)
	})
}
