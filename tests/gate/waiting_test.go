package gate

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/consent"
)

// While state cannot be read an event is not delivered, not denied and not quarantined; when it can be, the event goes on.
func TestEventsWaitForState(t *testing.T) {
	h := newHouse(t)
	h.publish("events.validated", form("evt_1", "u_1", yes))
	_, err := h.admin.DeleteTopics(h.ctx(), "privacy.consent")
	require.NoError(t, err)
	stop := h.shipped("govern")
	h.until(func() bool { return len(h.read("privacy.policies")) == 1 }, "the stage did not begin")
	h.untouched()

	stop()
	h.untouched()

	_, err = h.admin.CreateTopic(h.ctx(), 1, 1, nil, "privacy.consent")
	require.NoError(t, err)
	h.shipped("govern")
	h.drained("ebbgate-govern", "events.validated")
	require.Len(t, h.read("events.authorized.analytics"), 1)
	require.Empty(t, h.codes())
}

func (h *house) untouched() {
	h.t.Helper()
	h.nothingAuthorized()
	require.Empty(h.t, h.codes())
	require.Empty(h.t, h.read("privacy.decisions"))
}

// A withdrawal that is durable before an event is fetched is obeyed, however fast one follows the other.
func TestAWithdrawalHoldsFromTheNextEvent(t *testing.T) {
	h := newHouse(t)
	h.shipped("govern")
	for i := range 20 {
		user := "u_" + string(rune('a'+i))
		h.withdraw(user, "analytics")
		h.publish("events.validated", form("evt_"+user, user, yes))
	}
	h.drained("ebbgate-govern", "events.validated")
	require.Empty(t, h.read("events.authorized.analytics"))
	require.Len(t, h.read("events.authorized.activation"), 20, "marketing was not withdrawn")
}

func (h *house) withdraw(user, purpose string) {
	h.t.Helper()
	rec := consent.Record{Version: 1, Purposes: map[string]bool{purpose: false}, Source: "test", ChangedAt: time.Now()}
	h.produce(&kgo.Record{Topic: "privacy.consent", Key: []byte(h.ring.SubjectPseudonym("user_id", user)), Value: rec.Append(nil)})
}

// Where an event names several ids the most restrictive statement about any of them wins.
func TestTheMostRestrictiveIdentifierWins(t *testing.T) {
	h := newHouse(t)
	rec := consent.Record{Version: 1, Purposes: map[string]bool{"analytics": false}, Source: "test", ChangedAt: time.Now()}
	h.produce(&kgo.Record{Topic: "privacy.consent", Key: []byte(h.ring.SubjectPseudonym("anonymous_id", "a_1")), Value: rec.Append(nil)})
	event := `{"event_name":"page_viewed","event_id":"evt_1","timestamp":"` + time.Now().UTC().Format(time.RFC3339) +
		`","subject":{"user_id":"u_1","anonymous_id":"a_1"},"consent":{"analytics":true,"marketing":true},` +
		`"context":{"source":"web_app"},"properties":{"path":"/pricing"}}`
	h.publish("events.validated", event)
	h.shipped("govern")
	h.drained("ebbgate-govern", "events.validated")
	require.Empty(t, h.read("events.authorized.analytics"))
}

// What cannot be read denies: a garbled consent record is no consent, and an erasure record is an erasure even when null.
func TestUnreadableStateDenies(t *testing.T) {
	for name, rec := range map[string]kgo.Record{
		"garbled consent":    {Topic: "privacy.consent", Value: []byte(`{"version":`)},
		"consent as text":    {Topic: "privacy.consent", Value: []byte(`{"version":1,"purposes":{"analytics":"true"}}`)},
		"garbled erasure":    {Topic: "privacy.erasures", Value: []byte(`?`)},
		"null erasure":       {Topic: "privacy.erasures"},
		"erasure":            {Topic: "privacy.erasures", Value: []byte(`{"epoch":1,"request_id":"r","requested_at":"2026-11-01T00:00:00Z","state":"fenced"}`)},
		"garbled suppession": {Topic: "privacy.suppression", Value: []byte(`{`)},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			rec.Key = []byte(h.ring.SubjectPseudonym("user_id", "u_1"))
			h.produce(&rec)
			h.publish("events.validated", form("evt_1", "u_1", yes))
			h.shipped("govern")
			h.drained("ebbgate-govern", "events.validated")
			require.Empty(t, h.read("events.authorized.activation"))
			if name != "garbled suppession" {
				h.nothingAuthorized()
			}
		})
	}
}

func TestASourceThatCannotCarryConsentIsLookedUp(t *testing.T) {
	h := newHouse(t)
	given := consent.Record{Version: 7, Purposes: map[string]bool{"analytics": true}, Source: "crm", ChangedAt: time.Now()}
	h.produce(&kgo.Record{Topic: "privacy.consent", Key: []byte(h.ring.SubjectPseudonym("user_id", "github:1")), Value: given.Append(nil)})
	activity := func(id, user string) string {
		return `{"event_name":"github_activity","event_id":"` + id + `","timestamp":"` + time.Now().UTC().Format(time.RFC3339) +
			`","subject":{"user_id":"` + user + `"},"consent":{"analytics":true},"context":{"source":"github"},"properties":{"event":"push"}}`
	}
	h.publish("events.raw", activity("evt_1", "github:1"), activity("evt_2", "github:2"))
	h.shipped("validate")
	h.shipped("govern")
	h.drained("ebbgate-validate", "events.raw")
	h.drained("ebbgate-govern", "events.validated")

	for _, rec := range h.read("events.validated") {
		var event struct {
			EventID string         `json:"event_id"`
			Consent map[string]any `json:"consent"`
		}
		require.NoError(t, json.Unmarshal(rec.Value, &event))
		if event.EventID == "evt_1" {
			require.Equal(t, true, event.Consent["analytics"])
			require.Equal(t, "7", event.Consent["version"])
			require.Equal(t, "crm", event.Consent["source"])
		} else {
			require.NotContains(t, event.Consent, "analytics", "its own claim counts for nothing")
		}
	}
	records := h.read("events.authorized.analytics")
	require.Len(t, records, 1)
	require.Equal(t, "evt_1", header(records[0], "event_id"))
}

// Denials are always recorded, once per destination, and say why without a value.
func TestDenialsAreExplained(t *testing.T) {
	h := newHouse(t)
	h.publish("events.validated", form("evt_1", "u_1", noMarket))
	h.shipped("govern", "redact: {}", "redact: { allowance_sample: 1 }")
	h.drained("ebbgate-govern", "events.validated")
	verdicts := map[string]string{}
	for _, rec := range h.read("privacy.decisions") {
		var d struct{ Destination, Verdict, Reason, Rule, Policy string }
		require.NoError(t, json.Unmarshal(rec.Value, &d))
		verdicts[d.Destination] = d.Verdict + " " + d.Reason
		require.Regexp(t, `policy\.yaml:\d+$`, d.Rule)
		require.Equal(t, h.ws.Policy.Version, d.Policy)
	}
	require.Equal(t, map[string]string{"analytics": "allowed ", "warehouse": "allowed ", "activation": "denied consent.marketing=false"}, verdicts)
	require.False(t, h.holds(secret, "privacy.decisions"))
}
