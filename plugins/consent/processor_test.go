package consent

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

func newTestProcessor(t *testing.T, stageName, static string) *processor {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	t.Setenv(state.EnvironmentStatic, "1")
	conf, err := processorSpec().ParseYAML(fmt.Sprintf("stage: %s\nstate: { static: [ %s ] }", stageName, static), nil)
	require.NoError(t, err)
	p, err := newProcessor(conf, service.MockResources())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close(context.Background())) })
	return p
}

func viewed(consent string) *service.Message {
	return service.NewMessage(fmt.Appendf(nil, `{"event_name":"page_viewed","event_id":"evt_1","timestamp":%q,"subject":{"user_id":"u_1"},`+
		`"consent":%s,"context":{"source":"web_app"},"properties":{"path":"/"}}`, time.Now().UTC().Format(time.RFC3339), consent))
}

func one(t *testing.T, p *processor, ctx context.Context, msg *service.Message) *service.Message {
	t.Helper()
	out, err := p.ProcessBatch(ctx, service.MessageBatch{msg})
	require.NoError(t, err)
	require.Len(t, out, 1)
	require.Len(t, out[0], 1)
	return out[0][0]
}

// decided reports whether the message became a decision record.
func decided(msg *service.Message) bool {
	_, made := stage.Made(msg)
	_, quarantined := stage.Quarantine(msg)
	return made && !quarantined
}

// When the stream stops before the state was current, nothing was decided: the message must not look as if it had been.
func TestMessagesThatWaitedInVainAreFlagged(t *testing.T) {
	for _, name := range []string{stageValidate, stageGovern} {
		t.Run(name, func(t *testing.T) {
			p := newTestProcessor(t, name, "{ user_id: nobody }")
			stopped, cancel := context.WithCancel(context.Background())
			cancel()
			msg := one(t, p, stopped, viewed(`{"analytics":true}`))
			require.ErrorIs(t, msg.GetError(), stage.ErrWait)
			_, quarantined := stage.Quarantine(msg)
			require.False(t, quarantined)
			require.False(t, decided(msg))
		})
	}
}

func TestStorageIsDecidedAtValidation(t *testing.T) {
	cases := map[string]struct {
		claim, state string
		denied       bool
	}{
		"given":              {`{"analytics":true}`, "{ user_id: nobody }", false},
		"refused":            {`{"analytics":false}`, "{ user_id: nobody }", true},
		"missing":            {`{}`, "{ user_id: nobody }", true},
		"withdrawn since":    {`{"analytics":true}`, "{ user_id: u_1, purposes: { analytics: false } }", true},
		"erased":             {`{"analytics":true}`, "{ user_id: u_1, erased: true }", true},
		"record alone":       {`{}`, "{ user_id: u_1, purposes: { analytics: true } }", true},
		"other id withdrawn": {`{"analytics":true}`, "{ account_id: u_1, purposes: { analytics: false } }", false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			msg := one(t, newTestProcessor(t, stageValidate, test.state), context.Background(), viewed(test.claim))
			require.NoError(t, msg.GetError())
			require.Equal(t, test.denied, decided(msg))
		})
	}
}

func TestAClaimThatIsNoBooleanIsQuarantined(t *testing.T) {
	for _, claim := range []string{`{"analytics":"true"}`, `{"analytics":1}`, `{"analytics":null}`, `[]`, `true`} {
		t.Run(claim, func(t *testing.T) {
			msg := one(t, newTestProcessor(t, stageGovern, "{ user_id: nobody }"), context.Background(), viewed(claim))
			rec, ok := stage.Quarantine(msg)
			require.True(t, ok)
			require.Contains(t, []string{"consent.type", "envelope.type"}, rec.Code)
		})
	}
}
