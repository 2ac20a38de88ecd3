package segment

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const everything = `{"type":"track","event":"Trial Started","messageId":"ajs-1","userId":"u_1","anonymousId":"a_1","writeKey":"wk_secret",
"timestamp":"2026-04-13T09:59:00.000Z","sentAt":"2026-04-13T09:59:10.000Z","integrations":{"All":false},"_metadata":{"bundled":["x"]},
"context":{"ip":"198.51.100.77","userAgent":"Agent/1","groupId":"g_1","schema_version":"1.0.0","traits":{"email":"ada@example.com"},
"library":{"name":"analytics.js"},"device":{"id":"d_1"},"campaign":{"source":"news"},"locale":"de-DE",
"consent":{"categoryPreferences":{"Analytics":true,"Advertising":false}}},"properties":{"plan":"pro","price":9.5,"items":[{"sku":"s","cost":1}]}}`

func TestATrackCallBecomesAnEnvelope(t *testing.T) {
	h := newHouse(t, Limits{})
	o := h.one(t, server, everything)
	h.check(t, &o)
	require.Equal(t, `{"event_name":"trial_started","event_id":"ajs-1","timestamp":"2026-04-13T09:59:50.004Z","received_at":"2026-04-13T10:00:00.004Z",`+
		`"subject":{"user_id":"u_1","anonymous_id":"a_1","account_id":"g_1"},`+
		`"consent":{"analytics":true,"marketing":false,"source":"segment","checked_at":"2026-04-13T10:00:00.004Z"},`+
		`"context":{"source":"backend","schema_version":"1.0.0","correlation_id":"req_abc","ip":"198.51.100.77","user_agent":"Agent/1"},`+
		`"properties":{"plan":"pro","price":9.5,"items":[{"sku":"s","cost":1}],"utm_source":"news","locale":"de-DE"}}`, string(o.Envelope))
	require.Equal(t, Subject{[]byte("u_1"), []byte("a_1"), []byte("g_1")}, o.Subject)
	require.Nil(t, o.Link)
}

func TestABrowserIsNotBelieved(t *testing.T) {
	h := newHouse(t, Limits{})
	o := h.one(t, browser, everything)
	h.check(t, &o)
	require.Contains(t, string(o.Envelope), `"ip":"198.51.100.0","user_agent":"Agent/1"},"properties":{"plan":"pro","items":[{"sku":"s"}],"utm_source":"news"}}`)
	require.Equal(t, 2, o.Removed)

	identify := h.one(t, browser, `{"type":"identify","userId":"u","context":{"traits":{"email":"ada@example.com","score":7}}}`)
	require.Equal(t, map[string]any{"email": "ada@example.com"}, h.envelope(t, identify)["properties"])
	require.Equal(t, 1, identify.Removed)
	require.Equal(t, "event.near_name", h.one(t, browser, `{"type":"track","event":"Trial Started","userId":"u","properties":{"Price":1}}`).Fault.Code)

	paid := `{"type":"track","event":"Invoice Paid","userId":"u","properties":{"amount":1}}`
	require.Equal(t, CodeServerOnly, h.one(t, browser, paid).Fault.Code)
	require.Nil(t, h.one(t, server, paid).Fault)
}

func TestTheNamesOfCalls(t *testing.T) {
	h := newHouse(t, Limits{})
	for call, name := range map[string]string{
		`"type":"page"`:                             "page_viewed",
		`"type":"screen"`:                           "screen_viewed",
		`"type":"identify"`:                         "identify",
		`"type":"group","groupId":"g"`:              "group",
		`"type":"alias","previousId":"p"`:           "alias",
		`"type":"track","event":"Trial Started"`:    "trial_started",
		`"type":"track","event":"trialStarted"`:     "trial_started",
		`"type":"track","event":"trial_started"`:    "trial_started",
		`"type":"track","event":" TRIAL--Started!"`: "trial_started",
		`"type":"track","event":"\u0054rial"`:       "trial",
		`"type":"track","event":"Step2Done"`:        "step2_done",
		`"type":"track","event":"Größe"`:            "größe",
	} {
		require.Equal(t, name, h.envelope(t, h.one(t, server, `{"userId":"u",`+call+`}`))["event_name"], call)
	}
}

func TestWhatFillsTheProperties(t *testing.T) {
	h := newHouse(t, Limits{})
	context := `"context":{"page":{"path":"/a","title":"A","url":"https://example.com/a?email=x"}}`
	for _, c := range []struct{ call, want string }{
		{`"type":"page","name":"Home","properties":{"path":"/own"},` + context, `{"path":"/own","title":"A","name":"Home"}`},
		{`"type":"page","properties":{"path":null},` + context, `{"path":null,"title":"A"}`},
		{`"type":"track","event":"Other","properties":{"x":[1, {"y":"\u007a"}]},` + context, `{"x":[1,{"y":"z"}]}`},
		{`"type":"track","event":"Other"`, `{}`},
		{`"type":"identify","traits":{"email":"ada@example.com"},"context":{"traits":{"email":"eve@example.com"}}`, `{"email":"ada@example.com"}`},
		{`"type":"group","groupId":"g","traits":{"size":3}`, `{"size":3}`},
		{`"type":"alias","previousId":"old","properties":{"x":1}`, `{"previous_id":"old"}`},
	} {
		o := h.one(t, server, `{"userId":"u",`+c.call+`}`)
		h.check(t, &o)
		_, properties, _ := strings.Cut(string(o.Envelope), `"properties":`)
		require.Equal(t, c.want+"}", properties)
	}
}

func TestLinks(t *testing.T) {
	h := newHouse(t, Limits{})
	link := func(call string) *Link {
		o := h.one(t, server, call)
		require.Nil(t, o.Fault)
		return o.Link
	}
	both := Subject{UserID: []byte("u"), AnonymousID: []byte("a")}
	require.Equal(t, &Link{Subject: both}, link(`{"type":"identify","userId":"u","anonymousId":"a"}`))
	require.Equal(t, &Link{Subject: Subject{UserID: []byte("u")}, PreviousID: []byte("old")}, link(`{"type":"alias","userId":"u","previousId":"old"}`))
	require.Equal(t, &Link{Subject: Subject{UserID: []byte("7"), AccountID: []byte("12")}}, link(`{"type":"group","userId":7,"groupId":12}`))
	require.Nil(t, link(`{"type":"identify","userId":"u"}`))
	require.Nil(t, link(`{"type":"track","event":"x","userId":"u","anonymousId":"a","previousId":"p"}`))
}

func TestAChoiceOfConsentIsARecord(t *testing.T) {
	h := newHouse(t, Limits{})
	call := `{"type":"track","event":"Segment Consent Preference Updated","messageId":"m","anonymousId":"a","timestamp":"2026-04-13T11:00:00Z",` +
		`"context":{"consent":{"categoryPreferences":{"Analytics":true,"Advertising":false}}}}`
	o := h.one(t, browser, call)
	require.Equal(t, "segment_consent_preference_updated", h.envelope(t, o)["event_name"])
	require.Equal(t, map[string]bool{"analytics": true, "marketing": false}, o.Consent.Purposes)
	require.Equal(t, now, o.Consent.ChangedAt, "no choice was made in the future")
	require.Equal(t, "m", o.Consent.Proof)
	require.Equal(t, CodeNoPreferences, h.one(t, browser, `{"type":"track","event":"Segment Consent Preference Updated","anonymousId":"a"}`).Fault.Code)
	require.Nil(t, h.one(t, browser, strings.Replace(call, "Segment Consent", "segment consent", 1)).Consent)
}

func TestConsentOfTheEvent(t *testing.T) {
	h := newHouse(t, Limits{})
	call := func(context string) string {
		return `{"type":"track","event":"x","userId":"u","context":` + context + `}`
	}
	yes := `{"consent":{"categoryPreferences":{"Analytics":true,"Advertising":true}}}`
	no := `{"consent":{"categoryPreferences":{"Analytics":false}}}`
	said := func(source *Source, r *Request, body string) any {
		require.Nil(t, h.reader.Open(Route{Kind: Batch}, []byte(body)))
		claim, _ := h.envelope(t, h.reader.Map(source, r, nil)[0])["consent"].(map[string]any)
		if claim == nil {
			return nil
		}
		return [2]any{claim["analytics"], claim["marketing"]}
	}
	gpc := request()
	gpc.GPC = true
	require.Nil(t, said(server, request(), `{"batch":[`+call(`{}`)+`]}`))
	require.Equal(t, [2]any{true, true}, said(server, request(), `{"batch":[`+call(yes)+`]}`))
	require.Equal(t, [2]any{true, true}, said(server, request(), `{"batch":[`+call(`{}`)+`],"context":`+yes+`}`))
	require.Equal(t, [2]any{false, true}, said(server, request(), `{"batch":[`+call(yes)+`],"context":`+no+`}`))
	require.Equal(t, [2]any{false, true}, said(server, request(), `{"batch":[`+call(no)+`],"context":`+yes+`}`))
	require.Equal(t, [2]any{true, false}, said(browser, gpc, `{"batch":[`+call(yes)+`]}`))
	require.Equal(t, [2]any{true, true}, said(server, gpc, `{"batch":[`+call(yes)+`]}`), "the header of a server is not the user's")
	require.Equal(t, [2]any{nil, false}, said(browser, gpc, `{"batch":[`+call(`{}`)+`]}`))
}

func TestTheCorrelationID(t *testing.T) {
	h := newHouse(t, Limits{})
	for given, want := range map[string]any{"req_1": "req_1", "": "m-1", "ada <ada@example.com>": "m-1"} {
		require.Nil(t, h.reader.Open(Route{Kind: Single, Type: Page}, []byte(`{"userId":"u","messageId":"m-1"}`)))
		r := request()
		r.CorrelationID = given
		context := h.envelope(t, h.reader.Map(server, r, nil)[0])["context"].(map[string]any)
		require.Equal(t, want, context["correlation_id"], given)
	}
}

func TestAddressAndAgent(t *testing.T) {
	h := newHouse(t, Limits{})
	for _, c := range []struct {
		source    *Source
		context   string
		ip, agent any
	}{
		{browser, `{}`, "203.0.113.0", "Mozilla/5.0"},
		{browser, `{"ip":"2001:db8:1:2::3"}`, "2001:db8:1::", "Mozilla/5.0"},
		{browser, `{"ip":"not one"}`, nil, "Mozilla/5.0"},
		{&Source{Name: "s", Browser: true}, `{"ip":"198.51.100.7"}`, nil, "Mozilla/5.0"},
		{&Source{Name: "s", Browser: true, IP: KeepIP}, `{}`, "203.0.113.9", "Mozilla/5.0"},
		{server, `{}`, nil, nil},
		{server, `{"ip":"198.51.100.7","userAgent":"A"}`, "198.51.100.7", "A"},
		{server, `{"ip":"fe80::1%eth0","userAgent":7}`, "fe80::1", nil},
	} {
		context := h.envelope(t, h.one(t, c.source, `{"type":"page","userId":"u","context":`+c.context+`}`))["context"].(map[string]any)
		require.Equal(t, c.ip, context["ip"], c.context)
		require.Equal(t, c.agent, context["user_agent"], c.context)
	}
}
