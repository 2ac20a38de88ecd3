package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/sender"
)

const (
	recordedConsent     = "privacy.consent"
	recordedSuppression = "privacy.suppression"
)

// sends has an SDK with the key send one event, which has to be taken.
func (d *sdkDoor) sends(key, event string) {
	d.h.t.Helper()
	req, err := http.NewRequestWithContext(d.h.ctx(), http.MethodPost, "http://"+d.address+"/v1/batch", strings.NewReader(`{"batch":[`+event+`]}`))
	require.NoError(d.h.t, err)
	req.SetBasicAuth(key, "")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(d.h.t, err)
	resp.Body.Close()
	require.Equal(d.h.t, http.StatusOK, resp.StatusCode)
}

// signsUp is a Signed Up event of an SDK, whose user agrees to everything. The country tells whose row is whose.
func signsUp(id, user, country string) string {
	return fmt.Sprintf(`{"type":"track","messageId":%q,"userId":%q,"event":"Signed Up","properties":{"method":"password","email":"%s@example.com","country":%q},`+
		`"context":{"consent":{"categoryPreferences":{"Analytics":true,"Advertising":true}}}}`, id, user, user, country)
}

// deny is the answer of a consent banner.
func deny(id, user string) string {
	return fmt.Sprintf(`{"type":"track","messageId":%q,"userId":%q,"event":"Segment Consent Preference Updated",`+
		`"context":{"consent":{"categoryPreferences":{"Analytics":false,"Advertising":false}}}}`, id, user)
}

// Somebody says no in a browser. What an SDK goes on to say of her changes nothing: from then on she is denied before any
// destination, and by each sink for what was sealed for it earlier.
func TestAWithdrawalAtTheDoorHoldsEverywhere(t *testing.T) {
	a := newArea(t)
	door := a.openCollector()
	files := slices.DeleteFunc(a.streams(), func(file string) bool { return file == "pipelines/streams/analytics.yaml" })
	a.house.start(append([]string{"streams", "-o", "pipelines/service.yaml"}, files...)...)
	door.sends(door.backend, signsUp("ada_1", "u_ada", "DE"))
	door.sends(door.backend, signsUp("bob_1", "u_bob", "FR"))
	a.drained(a.hops()...)
	require.Equal(t, map[string]int{"ada_1": 1, "bob_1": 1}, a.byEvent(analytics))

	door.sends(door.web, deny("ada_says_no", "u_ada"))
	a.drained(a.hops()...)
	written := a.records(recordedConsent)
	require.Len(t, written, 1)
	require.Equal(t, a.ring.SubjectPseudonym("user_id", "u_ada"), string(written[0].Key))
	require.Equal(t, map[string]bool{"analytics": false, "marketing": false}, consent.ParseRecord(written[0].Value).Purposes)

	door.sends(door.backend, signsUp("ada_2", "u_ada", "DE"))
	door.sends(door.backend, signsUp("bob_2", "u_bob", "FR"))
	a.drained(a.hops()...)
	for _, topic := range []string{analytics, warehouse, activation} {
		require.Equal(t, map[string]int{"ada_1": 1, "bob_1": 1, "bob_2": 1}, a.byEvent(topic), topic)
	}
	require.Contains(t, a.denials("ada_2"), "consent.withdrawn.analytics")

	a.house.start("streams", "-o", "pipelines/service.yaml", "pipelines/streams/analytics.yaml", "pipelines/sinks/warehouse.yaml")
	a.drained(append(a.plan().Flow(), staged)...)
	require.Equal(t, map[string]int{"bob_1": 1, "bob_2": 1}, a.rows())
	require.Equal(t, []string{"ada_1"}, a.withheld("consent.withdrawn.analytics"))
	require.Equal(t, map[string]int{"FR": 1}, a.pull())
	a.balance()
}

// A mail provider's webhook says whom nobody may write to any more: who unsubscribed, who called it spam, whose address is none.
func TestWhoMayNotBeWrittenToIsDeniedAtActivation(t *testing.T) {
	h := newHouse(t)
	h.pipelines()
	address := freeAddress(t)
	h.openDoor(address)
	told := map[string]string{ // by whom it is about
		"u_left":      `"event":"unsubscribe"`,
		"u_leftgroup": `"event":"group_unsubscribe","asm_group_id":7`,
		"u_spam":      `"event":"spamreport"`,
		"u_bounced":   `"event":"bounce","type":"bounce","bounce_classification":"Invalid Address"`,
		"u_full":      `"event":"bounce","type":"blocked","bounce_classification":"Mailbox Unavailable"`,
		"u_fine":      `"event":"delivered"`,
	}
	for user, event := range told {
		d := h.sample("sendgrid", address, "sg_"+user)
		d.Body = fmt.Appendf(nil, `[{"email":"%s@example.com","timestamp":%d,%s,"sg_event_id":"sg_%[1]s","sg_message_id":"m-1","user_id":%[1]q}]`,
			user, time.Now().Unix(), event)
		a, err := sender.Post(h.ctx(), http.DefaultClient, d)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, a.Status)
	}
	h.drained(h.hops()...)
	reasons := map[string]string{}
	for _, rec := range h.records(recordedSuppression) {
		reasons[string(rec.Key)] = consent.ParseSuppression(rec.Value).Reason
	}
	key := func(user string) string { return h.ring.SubjectPseudonym("user_id", user) }
	require.Equal(t, map[string]string{
		key("u_left"): "unsubscribe", key("u_leftgroup"): "unsubscribe", key("u_spam"): "spam_report", key("u_bounced"): "hard_bounce",
	}, reasons)

	want := map[string]int{"evt_u_full": 1, "evt_u_fine": 1}
	for user := range told {
		h.publish(inbound, form("evt_"+user, user))
	}
	h.drained()
	require.Equal(t, want, h.byEvent(activation))
	for user := range told {
		if id := "evt_" + user; want[id] == 0 {
			require.Equal(t, []string{"suppressed"}, h.denials(id), "activation alone says `unless: [suppressed]`")
		}
	}
	h.balance()
}

// denials are the reasons for which an event was denied, by any stage.
func (h *house) denials(id string) (reasons []string) {
	h.t.Helper()
	for _, rec := range h.records(decisions) {
		var d struct {
			EventID string `json:"event_id"`
			Reason  string
		}
		require.NoError(h.t, json.Unmarshal(rec.Value, &d))
		if d.EventID == id {
			reasons = append(reasons, d.Reason)
		}
	}
	return reasons
}
