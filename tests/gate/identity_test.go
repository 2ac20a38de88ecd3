package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/identity"
)

// said is an event of a web page as the stage before validate leaves it.
func said(name, id, subject, properties string) *kgo.Record {
	return &kgo.Record{Topic: "events.raw", Key: []byte("sk1one"), Headers: []kgo.RecordHeader{{Key: "event_id", Value: []byte(id)}}, Value: fmt.Appendf(nil,
		`{"event_name":%q,"event_id":%q,"timestamp":"2026-11-01T10:00:00.5Z","received_at":"2026-11-01T10:00:01Z","subject":{%s},`+
			`"consent":{"analytics":true},"context":{"source":"web_app","correlation_id":"who-4711"},"properties":{%s}}`, name, id, subject, properties)}
}

func (h *house) pairOf(kinds ...string) string {
	h.t.Helper()
	p, ok := identity.MakePair(h.ring.SubjectPseudonym(kinds[0], kinds[1]), h.ring.SubjectPseudonym(kinds[2], kinds[3]))
	require.True(h.t, ok)
	return p.Key()
}

func (h *house) refuse(kind, id string) {
	h.t.Helper()
	rec := consent.Record{Version: 1, Purposes: map[string]bool{"analytics": false}, Source: "app", ChangedAt: time.Now()}
	h.produce(&kgo.Record{Topic: "privacy.consent", Key: []byte(h.ring.SubjectPseudonym(kind, id)), Value: rec.Append(nil)})
}

func (h *house) decisions() (reasons []string) {
	h.t.Helper()
	reader, err := consent.NewDecisionReader()
	require.NoError(h.t, err)
	for _, rec := range h.read("privacy.decisions") {
		d, _, err := reader.Read(rec.Value)
		require.NoError(h.t, err)
		reasons = append(reasons, d.EventID+" "+d.Reason)
	}
	return reasons
}

func TestCallsOfSDKsLinkIdentifiers(t *testing.T) {
	h := newHouse(t)
	stop := h.shipped("validate")
	calls := []*kgo.Record{
		said("identify", "evt_1", `"user_id":"u_4711","anonymous_id":"a_4711"`, ""),
		said("identify", "evt_2", `"user_id":"u_4711","anonymous_id":"a_4711"`, ""), // on every page
		said("group", "evt_3", `"user_id":"u_2","anonymous_id":"a_2","account_id":"acc_4711"`, ""),
		said("alias", "evt_4", `"user_id":"u_3"`, `"previous_id":"p_4711"`),
		said("page_viewed", "evt_5", `"user_id":"u_5","anonymous_id":"a_5"`, `"path":"/"`),
		said("identify", "evt_6", `"anonymous_id":"a_6"`, ""),
	}
	for _, call := range calls {
		h.produce(call)
		h.drained("ebbgate-validate", "events.raw")
	}
	stop()
	require.Empty(t, h.codes())
	require.Len(t, h.validated(), len(calls))

	var keys []string
	for _, rec := range h.read("identity.links") {
		keys = append(keys, string(rec.Key))
		require.JSONEq(t, `{"version":1793527200500,"source":"web_app","changed_at":"2026-11-01T10:00:00.5Z"}`, string(rec.Value))
		require.NotContains(t, fmt.Sprint(rec.Headers)+string(rec.Value), "4711", "no id of anybody's, and nothing of the event")
		for _, header := range rec.Headers {
			require.True(t, strings.HasPrefix(header.Key, "src_"), header.Key)
		}
	}
	require.ElementsMatch(t, []string{
		h.pairOf("user_id", "u_4711", "anonymous_id", "a_4711"),
		h.pairOf("user_id", "u_2", "anonymous_id", "a_2"),
		h.pairOf("user_id", "u_3", "anonymous_id", "p_4711"), h.pairOf("user_id", "u_3", "user_id", "p_4711"),
	}, keys, "each once, and no account")
}

// Whoever says no as a user has said it for the device, before and after.
func TestARefusalUnderOneIdentifierHoldsUnderAll(t *testing.T) {
	h := newHouse(t)
	defer h.shipped("validate")()
	defer h.shipped("govern")()
	send := func(rec *kgo.Record) {
		h.produce(rec)
		h.drained("ebbgate-validate", "events.raw")
		h.drained("ebbgate-govern", "events.validated")
	}
	send(said("page_viewed", "evt_before", `"anonymous_id":"a_1"`, `"path":"/"`))
	send(said("identify", "evt_link", `"user_id":"u_1","anonymous_id":"a_1"`, ""))
	send(said("alias", "evt_chain", `"user_id":"u_1"`, `"previous_id":"a_0"`))
	sent := len(h.read("events.authorized.analytics"))
	require.Equal(t, 3, sent)
	h.refuse("user_id", "u_1")
	send(said("page_viewed", "evt_after", `"anonymous_id":"a_1"`, `"path":"/"`))
	send(said("page_viewed", "evt_far", `"anonymous_id":"a_0"`, `"path":"/"`))
	send(said("page_viewed", "evt_other", `"anonymous_id":"a_9"`, `"path":"/"`))
	require.Len(t, h.read("events.authorized.analytics"), sent+1, "only that of somebody else")
	decisions := h.decisions()
	require.Contains(t, decisions, "evt_after consent.withdrawn.analytics")
	require.Contains(t, decisions, "evt_far consent.withdrawn.analytics")
}

// The event that ties identifiers together is judged by what is said under either, also before anybody has the link, and
// the link is kept though the event may not be.
func TestALinkIsKeptWhereTheEventMayNotBe(t *testing.T) {
	h := newHouse(t)
	h.refuse("anonymous_id", "a_1")
	defer h.shipped("validate")()
	h.produce(said("alias", "evt_1", `"user_id":"u_1"`, `"previous_id":"a_1"`))
	h.drained("ebbgate-validate", "events.raw")
	require.Equal(t, []string{"evt_1 consent.withdrawn.analytics"}, h.decisions())
	require.Len(t, h.read("identity.links"), 2)
}

func TestMoreThanOnePersonCanHaveIsQuarantined(t *testing.T) {
	h := newHouse(t)
	for i := range identity.Limit {
		link := identity.At(time.Now(), "web_app")
		h.produce(&kgo.Record{Topic: "identity.links", Key: []byte(h.pairOf("anonymous_id", "kiosk", "user_id", fmt.Sprint(i))), Value: link.Append(nil)})
	}
	defer h.shipped("validate")()
	defer h.shipped("govern")()
	h.produce(said("page_viewed", "evt_1", `"anonymous_id":"kiosk"`, `"path":"/"`))
	h.produce(said("identify", "evt_2", `"user_id":"new","anonymous_id":"kiosk"`, ""))
	h.produce(said("page_viewed", "evt_3", `"user_id":"new"`, `"path":"/"`))
	h.drained("ebbgate-validate", "events.raw")
	require.Equal(t, []string{"evt_3"}, h.validated())
	require.Equal(t, map[string]int{"identity.unresolved": 2}, h.codes())
	require.Len(t, h.read("identity.links"), identity.Limit, "nobody else is drawn in")
}
