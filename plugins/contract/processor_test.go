package contract

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
)

func started(id, name, version, properties string) *service.Message {
	return service.NewMessage(fmt.Appendf(nil, `{"event_name":%q,"event_id":%q,"timestamp":%q,"subject":{"user_id":"u_1"},"context":{"source":"web_app","schema_version":%q},"properties":%s}`,
		name, id, time.Now().UTC().Format(time.RFC3339), version, properties))
}

// Each fault has its code, and the event beside it goes on to the validated topic without what nobody declared.
func TestEachFaultHasItsCodeAndItsNeighbourGoesOn(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	conf, err := processorSpec().ParseYAML("", nil)
	require.NoError(t, err)
	p, err := newProcessor(conf, service.MockResources())
	require.NoError(t, err)

	for code, bad := range map[string]*service.Message{
		"contract.unknown_event": started("evt_1", "never_heard_of", "1.0.0", `{}`),
		"contract.unknown_major": started("evt_1", "trial_started", "99.0.0", `{}`),
		"contract.type":          started("evt_1", "trial_started", "1.4.2", `{"plan":"pro","trial_length_days":"x"}`),
		"contract.required":      started("evt_1", "trial_started", "1.4.2", `{}`),
		"envelope.event_id":      service.NewMessage([]byte(`{"event_name":"page_viewed","timestamp":"` + time.Now().UTC().Format(time.RFC3339) + `","subject":{"user_id":"u_1"},"context":{"source":"web_app"},"properties":{"path":"/"}}`)),
	} {
		t.Run(code, func(t *testing.T) {
			good := started("evt_2", "signed_up", "1.2.0", `{"plan":"pro","method":"password","email":"ada@example.com","undeclared":1}`)
			out, err := p.ProcessBatch(context.Background(), service.MessageBatch{bad, good})
			require.NoError(t, err)
			rec, ok := stage.Quarantine(out[0][0])
			require.True(t, ok)
			require.Equal(t, code, rec.Code)
			body, err := out[0][1].AsBytes()
			require.NoError(t, err)
			require.NotContains(t, string(body), "undeclared")
			topic, _ := out[0][1].MetaGet(stage.MetaTopic)
			require.Equal(t, "events.validated", topic)
			require.False(t, stage.Storable(out[0][1], body), "only consent says that it may be stored")
		})
	}
}
