package stage

import (
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
)

// A quarantine record names its event so that it can be counted, but only by a name that a contract has: any other text
// under event_name is the sender's, and may be anything.
func TestAQuarantineRecordNamesWhatContractsKnow(t *testing.T) {
	guard := NewGuard(StageValidate, testRuntime(t))
	dict, err := event.NewDictionary()
	require.NoError(t, err)
	for name, test := range map[string]struct{ body, want string }{
		"known":            {`{"event_name":"signed_up"}`, "signed_up"},
		"known, escaped":   {`{"event_name":"\u0073igned_up"}`, "signed_up"},
		"known, elsewhere": {`{"properties":{"event_name":"signed_up"}}`, ""},
		"undeclared":       {`{"event_name":"ada@example.com"}`, ""},
		"almost known":     {`{"event_name":"signed_up "}`, ""},
		"no text":          {`{"event_name":{"a":"signed_up"}}`, ""},
		"none":             {`{}`, ""},
		"unreadable":       {`{"event_name":"signed_up"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			msg := service.NewMessage([]byte(test.body))
			_, _ = NewReader(dict, event.DefaultLimits).Index(msg)
			rec, ok := Quarantine(guard.Quarantine(msg, &event.Fault{Code: "contract.type"}))
			require.True(t, ok)
			require.Equal(t, test.want, rec.EventName)
		})
	}

	rewritten := service.NewMessage([]byte(`{"event_name":"signed_up"}`))
	_, err = NewReader(dict, event.DefaultLimits).Index(rewritten)
	require.NoError(t, err)
	rewritten.SetBytes([]byte(`{"event_name":"other"}`))
	rec, _ := Quarantine(guard.Quarantine(rewritten, &event.Fault{Code: "contract.type"}))
	require.Empty(t, rec.EventName, "what was scanned are not these bytes")
}
