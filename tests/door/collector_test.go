package door

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/writekey"
	"github.com/ebbgate/ebbgate/plugins/all"
)

const (
	webKey, oldWebKey, backendKey, closedKey = "wk_web", "wk_web_old", "wk_backend", "wk_closed"
	site                                     = "https://www.example.com"
)

func collector(t *testing.T) *gate {
	t.Helper()
	return open(t, collectorYAML(t))
}

func collectorYAML(t *testing.T) string {
	t.Helper()
	return `
input:
  collector:
    address: %[1]s
    timeout: 3s
    header_timeout: 500ms
    read_timeout: 1s
    max_body_bytes: 64KiB
    public_url: https://events.example.com
    consent:
      purposes: { analytics: { categories: [ Analytics ] }, marketing: { categories: [ Advertising ], gpc_denies: true } }
    sources:
      - name: web_app
        kind: browser
        origins: [ ` + site + ` ]
        write_keys:
          - { id: new, sha256: "` + hashOf(webKey) + `" }
          - { id: old, file: ` + secretFile(t, hashOf(oldWebKey)) + ` }
      - { name: backend, kind: server, ip: keep, write_keys: [ { id: main, sha256: "` + hashOf(backendKey) + `" } ] }
      - { name: closed, kind: server, disabled: true, write_keys: [ { id: main, sha256: "` + hashOf(closedKey) + `" } ] }
`
}

func hashOf(key string) string { return writekey.HashOf(key).String() }

func basic(key string) map[string][]string {
	return map[string][]string{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"))}}
}

func track(id, rest string) string {
	return fmt.Sprintf(`{"type":"track","messageId":%q,"userId":"u_1","event":"Feature Used","properties":{"feature":"export"}%s}`, id, rest)
}

// refused are the quarantine records, by event id.
func (g *gate) refused(n int) map[string]*quarantine.Record {
	g.t.Helper()
	found := map[string]*quarantine.Record{}
	for _, rec := range g.records(quarantined, n) {
		r, err := quarantine.ParseRecord(rec.Value)
		require.NoError(g.t, err)
		found[r.EventID] = r
	}
	return found
}

// Each bad event of a batch has its code, and costs its neighbours nothing.
func TestABadEventCostsItsNeighboursNothing(t *testing.T) {
	g := collector(t)
	bad := map[string]string{
		"no_id":    `{"type":"track","messageId":"no_id","event":"Feature Used"}`,
		"no_event": `{"type":"track","messageId":"no_event","userId":"u_1"}`,
		"number":   `{"type":"track","messageId":"number","userId":"u_1","event":7}`,
		"list":     `{"type":"track","messageId":"list","userId":"u_1","event":"Feature Used","properties":[]}`,
		"traits":   `{"type":"identify","messageId":"traits","userId":"u_1","traits":"x"}`,
		"type":     `{"type":"tracked","messageId":"type","userId":"u_1"}`,
		"server":   `{"type":"track","messageId":"server","userId":"u_1","event":"Invoice Paid","properties":{"amount":1}}`,
	}
	codes := map[string]string{
		"no_id": "segment.no_user_anon_id", "no_event": "segment.event_not_defined", "number": "segment.event_not_string",
		"list": "segment.properties_not_object", "traits": "segment.traits_not_object", "type": "segment.type_unknown", "server": "contract.from",
	}
	var events []string
	for id, text := range bad {
		events = append(events, track("good_"+id, ""), text)
	}
	malformed := []string{`{"type":"track","userId":"u_1","userId":"u_2","event":"a"}`, `{"type":tru}`, `17`, "{\"a\":\"\xff\"}"}
	events = append(append(events, malformed...), track("last", ""))
	body := `{"batch":[` + strings.Join(events, ",") + `],"sentAt":"2026-11-24T00:00:00Z"}`
	resp, text := g.post("/v1/batch", basic(webKey), []byte(body))
	require.Equal(t, http.StatusOK, resp.StatusCode, text)
	require.Equal(t, `{"success":true}`, text)
	require.NotEmpty(t, resp.Header.Get("X-Correlation-Id"))

	for _, rec := range g.records(raw, len(bad)+1) {
		id := header(rec, "event_id")
		require.True(t, strings.HasPrefix(id, "good_") || id == "last", id)
		require.Equal(t, resp.Header.Get("X-Correlation-Id"), header(rec, "correlation_id"))
		require.Regexp(t, "^[0-9a-f]{32}$", header(rec, "content_digest"))
		require.Equal(t, header(rec, "subject_key"), string(rec.Key))
	}
	refused := g.refused(len(bad) + len(malformed))
	for id, code := range codes {
		require.Equal(t, code, refused[id].Code, id)
		require.Equal(t, "ingest", refused[id].Stage)
		require.NotEmpty(t, refused[id].Payload, "it can be read again")
	}
	again, _ := g.post("/v1/batch", basic(webKey), []byte(strings.ReplaceAll(body, "2026-11-24T00", "2026-11-24T01")))
	require.Equal(t, http.StatusOK, again.StatusCode)
	digests := map[string]string{}
	for _, rec := range g.records(raw, 2*len(bad)+2) {
		id := header(rec, "event_id")
		if first, seen := digests[id]; seen {
			require.Equal(t, first, header(rec, "content_digest"), "what a retry changes does not count")
		}
		digests[id] = header(rec, "content_digest")
	}
}

// The lineage of an event is what the identity processor gives the same envelope.
func TestLineageIsThatOfTheIdentityProcessor(t *testing.T) {
	g := collector(t)
	body := `{"batch":[{"type":"identify","messageId":"m1","userId":"u_\u00e9","anonymousId":"a_1","context":{"groupId":"g_1"},"traits":{}},` +
		`{"type":"track","messageId":"m2","anonymousId":"a_1","event":"x"}]}`
	resp, _ := g.post("/b", basic(backendKey), []byte(body))
	require.Equal(t, http.StatusOK, resp.StatusCode)
	env, err := all.Environment(true)
	require.NoError(t, err)
	for _, rec := range g.records(raw, 2) {
		builder := env.NewStreamBuilder()
		require.NoError(t, builder.SetLoggerYAML("level: NONE"))
		require.NoError(t, builder.AddProcessorYAML("identity: {}"))
		send, err := builder.AddBatchProducerFunc()
		require.NoError(t, err)
		require.NoError(t, builder.AddBatchConsumerFunc(func(_ context.Context, b service.MessageBatch) error {
			for _, name := range []string{"topic", "key", "event_id", "subject_key", "correlation_id"} {
				want, _ := b[0].MetaGet(name)
				got := header(rec, name)
				switch name {
				case "topic":
					got = rec.Topic
				case "key":
					got = string(rec.Key)
				}
				require.Equal(t, want, got, name)
			}
			return nil
		}))
		stream, err := builder.Build()
		require.NoError(t, err)
		go func() { _ = stream.Run(t.Context()) }()
		require.NoError(t, send(t.Context(), service.MessageBatch{service.NewMessage(rec.Value)}))
		require.NoError(t, stream.StopWithin(patience))
	}
}

func TestAKeyCountsWhereItsRouteHasIt(t *testing.T) {
	g := collector(t)
	event := track("m", "")
	withKey := func(key string) string { return track("m", `,"writeKey":"`+key+`"`) }
	for _, c := range []struct {
		name, path, body string
		header           map[string][]string
		status           int
		code             string
	}{
		{"basic", "/v1/t", event, basic(webKey), 200, ""},
		{"the key that is being replaced", "/v1/t", event, basic(oldWebKey), 200, ""},
		{"basic without colon", "/v1/t", event, map[string][]string{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(webKey))}}, 200, ""},
		{"body", "/v1/t", withKey(webKey), map[string][]string{"Content-Type": {"text/plain"}}, 200, ""},
		{"body beside a bearer", "/v1/t", withKey(backendKey), map[string][]string{"Authorization": {"Bearer x"}}, 200, ""},
		{"of the batch", "/v1/b", `{"batch":[` + event + `],"writeKey":"` + webKey + `"}`, nil, 200, ""},
		{"query of a beacon", "/beacon/v1/batch?writeKey=" + webKey, `{"batch":[` + event + `]}`, nil, 200, ""},
		{"none", "/v1/t", event, nil, 401, "unknown_write_key"},
		{"unknown", "/v1/t", event, basic("wk_nobody"), 401, "unknown_write_key"},
		{"unknown in the body", "/v1/t", withKey("wk_nobody"), nil, 401, "unknown_write_key"},
		{"the hash", "/v1/t", event, basic(hashOf(webKey)), 401, "unknown_write_key"},
		{"a header that is no key, beside a body that is", "/v1/t", withKey(webKey), map[string][]string{"Authorization": {"Basic ?"}}, 401, "unknown_write_key"},
		{"query", "/v1/t?writeKey=" + webKey, event, nil, 401, "unknown_write_key"},
		{"header in the query", "/v1/t?Authorization=" + url.QueryEscape(basic(webKey)["Authorization"][0]), event, nil, 401, "unknown_write_key"},
		{"cookie", "/v1/t", event, map[string][]string{"Cookie": {"writeKey=" + webKey + "; Authorization=" + webKey}}, 401, "unknown_write_key"},
		{"disabled", "/v1/t", event, basic(closedKey), 403, "source_disabled"},
		{"a page of another origin", "/v1/t", event, map[string][]string{"Authorization": basic(webKey)["Authorization"], "Origin": {"https://evil.example.com"}}, 403, "origin"},
		{"a body that is none", "/v1/batch", `{"batch":[`, basic(webKey), 400, "invalid_request"},
		{"no events", "/v1/batch", `{"batch":[]}`, basic(webKey), 400, "invalid_request"},
		{"another path", "/v1/x", event, basic(webKey), 404, "path"},
	} {
		resp, text := g.post(c.path, c.header, []byte(c.body))
		require.Equal(t, c.status, resp.StatusCode, c.name)
		var answer struct {
			Success bool
			Code    string
		}
		require.NoError(t, json.Unmarshal([]byte(text), &answer), c.name)
		require.Equal(t, c.status == 200, answer.Success, c.name)
		require.Equal(t, c.code, answer.Code, c.name)
		require.NotContains(t, text, "wk_", c.name)
	}
	require.Len(t, g.records(raw, 7), 7)
}

func (g *gate) get(method, path string, header map[string][]string) (*http.Response, string) {
	g.t.Helper()
	return g.do(method, path, header, nil)
}

func TestWhatSDKsAskBeforeTheySend(t *testing.T) {
	g := collector(t)
	resp, text := g.get("GET", "/v1/projects/"+webKey+"/settings", map[string][]string{"Origin": {site}})
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, site, resp.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, text, `"apiHost":"events.example.com/v1"`)
	resp, text = g.get("GET", "/sourceConfig/?p=cdn&writeKey="+webKey, nil)
	require.Equal(t, 200, resp.StatusCode)
	require.Contains(t, text, `"destinations":[]`)
	_, text = g.get("GET", "/cluster-info", basic(backendKey))
	require.Equal(t, `{"nodeCount":1}`, text)
	for _, path := range []string{"/v1/projects/wk_nobody/settings", "/sourceConfig"} {
		resp, _ = g.get("GET", path, nil)
		require.Equal(t, 401, resp.StatusCode, path)
	}
	data := base64.URLEncoding.EncodeToString([]byte(`{"messageId":"px","anonymousId":"a_1","properties":{"path":"/"}}`))
	resp, text = g.get("GET", "/pixel/v1/page?writeKey="+webKey+"&data="+data, nil)
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "image/gif", resp.Header.Get("Content-Type"))
	require.True(t, strings.HasPrefix(text, "GIF89a"))
	require.Equal(t, "px", header(g.records(raw, 1)[0], "event_id"))
	resp, _ = g.get("GET", "/pixel/v1/track?writeKey="+webKey+"&anonymousId=a_1&event=Mail+Opened&messageId=px2&properties.campaign=may", nil)
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "px2", header(g.records(raw, 2)[1], "event_id"))
	resp, _ = g.post("/v1/m", nil, []byte(`{"series":[]}`))
	require.Equal(t, 200, resp.StatusCode)
}

func TestPagesOfListedOriginsMaySend(t *testing.T) {
	g := collector(t)
	ask := map[string][]string{
		"Origin": {site}, "Access-Control-Request-Method": {"POST"},
		"Access-Control-Request-Headers": {"authorization,content-type,x-retry-count,rsa-enabled,x-evil,rsa-<b>"},
	}
	resp, _ := g.get("OPTIONS", "/v1/t", ask)
	require.Equal(t, 204, resp.StatusCode)
	require.Equal(t, site, resp.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "authorization, content-type, x-retry-count, rsa-enabled", resp.Header.Get("Access-Control-Allow-Headers"))
	require.Contains(t, resp.Header.Get("Access-Control-Allow-Methods"), "POST")
	require.Contains(t, resp.Header.Values("Vary"), "Origin")
	ask["Origin"] = []string{"https://evil.example.com"}
	resp, _ = g.get("OPTIONS", "/v1/t", ask)
	require.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, resp.Header.Get("Access-Control-Allow-Headers"))
}

// What a page may not decide about itself.
func TestABrowserIsBelievedLess(t *testing.T) {
	g := collector(t)
	consent := `,"context":{"consent":{"categoryPreferences":{"Analytics":true,"Advertising":true}}}`
	gpc := basic(webKey)
	gpc["Sec-Gpc"], gpc["X-Forwarded-For"] = []string{"1"}, []string{"203.0.113.7"}
	for _, header := range []map[string][]string{gpc, basic(webKey), basic(backendKey)} {
		resp, _ := g.post("/v1/t?ip=203.0.113.9", header, []byte(track("m", consent)))
		require.Equal(t, 200, resp.StatusCode)
	}
	envelopes := g.records(raw, 3)
	said := func(rec *kgo.Record) (e struct {
		Consent struct{ Analytics, Marketing bool }
		Context struct{ Source, IP string }
	},
	) {
		require.NoError(t, json.Unmarshal(rec.Value, &e))
		return e
	}
	require.False(t, said(envelopes[0]).Consent.Marketing, "Global Privacy Control")
	require.True(t, said(envelopes[0]).Consent.Analytics)
	require.True(t, said(envelopes[1]).Consent.Marketing)
	require.Equal(t, "127.0.0.0", said(envelopes[0]).Context.IP, "the connection's, as no proxy is trusted, truncated")
	require.Equal(t, "backend", said(envelopes[2]).Context.Source)
	require.Empty(t, said(envelopes[2]).Context.IP, "a server's address is not the user's")
}

// What the broker does not take is not answered with success, and the SDK's next try is.
func TestABatchThatIsNotDurableIsToBeSentAgain(t *testing.T) {
	g := collector(t)
	var mended atomic.Bool
	g.cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		g.cluster.KeepControl()
		produce := req.(*kmsg.ProduceRequest)
		if mended.Load() || len(produce.Topics) == 0 {
			return nil, nil, false
		}
		return refusal(produce), nil, true
	})
	body := []byte(`{"batch":[` + track("m1", "") + `,{"type":"track","messageId":"m2"}]}`)
	resp, _ := g.post("/v1/batch", basic(backendKey), body)
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Equal(t, "5", resp.Header.Get("Retry-After"))
	mended.Store(true)
	require.Eventually(t, func() bool {
		resp, _ := g.post("/v1/batch", basic(backendKey), body)
		return resp.StatusCode == http.StatusOK
	}, patience, 10*time.Millisecond)
}

// What only a server may send is for the contract to say, and a new contract counts without a restart.
func TestAPropertyOfServersIsTakenOffABrowsersEvent(t *testing.T) {
	workspace := filepath.Join(t.TempDir(), "pipelines")
	require.NoError(t, os.CopyFS(workspace, os.DirFS(filepath.Join("..", "..", "pipelines"))))
	yaml := strings.Replace(collectorYAML(t), "    timeout: 3s\n", "    timeout: 3s\n    reload_period: 20ms\n    workspace: "+workspace+"\n", 1)
	g := open(t, yaml)
	n := 0
	send := func(key string) string {
		resp, _ := g.post("/v1/t", basic(key), []byte(strings.Replace(track(fmt.Sprintf("m%d", n), ""), `"export"`, `"export","outcome":"completed"`, 1)))
		require.Equal(t, http.StatusOK, resp.StatusCode)
		n++
		return string(g.records(raw, n)[n-1].Value)
	}
	require.Contains(t, send(webKey), "completed")
	for _, change := range [][3]string{
		{"contracts/feature_used.yaml", "outcome: { type: string,", "outcome: { type: string, from: server,"},
		{"policy.yaml", `version: "`, `version: "next-`},
	} {
		file := filepath.Join(workspace, change[0])
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, bytes.Replace(text, []byte(change[1]), []byte(change[2]), 1), 0o600))
	}
	require.Eventually(t, func() bool { return !strings.Contains(send(webKey), "completed") }, patience, 20*time.Millisecond)
	require.Contains(t, send(backendKey), "completed")
}

// A processor that drops events would turn a 200 into a loss. Its stream answers that the batch is to be sent again.
func TestEventsThatAreDroppedOnTheWayAreNotAnsweredWithSuccess(t *testing.T) {
	g := openWith(t, collectorYAML(t), "pipeline: { processors: [ { mapping: 'root = if this.event_id == \"m2\" { deleted() }' } ] }")
	resp, _ := g.post("/v1/t", basic(backendKey), []byte(track("m1", "")))
	require.Equal(t, http.StatusOK, resp.StatusCode)
	resp, _ = g.post("/v1/batch", basic(backendKey), []byte(`{"batch":[`+track("m2", "")+`,`+track("m3", "")+`]}`))
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
}

func TestACollectorThatCouldBeMisusedDoesNotStart(t *testing.T) {
	for sources, says := range map[string]string{
		"": "sources: give at least one",
		"{ name: a, kind: server, write_keys: [] }":                                               "write_keys: give at least one",
		"{ name: a, kind: server, write_keys: [ { id: a, sha256: wk_in_clear } ] }":               "and not the key itself",
		"{ name: a, kind: server, write_keys: [ { id: a } ] }":                                    "either the key's hash or the file",
		"{ name: a, kind: server, write_keys: [ { id: a, file: /nowhere/at/all } ] }":             "no such file",
		"{ name: a b, kind: server, write_keys: [ { id: a, sha256: \"" + hashOf("a") + "\" } ] }": "give a name of letters",
		twice("a", "a", "1", "2"): "another source has it",
		twice("a", "b", "1", "1"): "a key belongs to one source",
	} {
		_, err := buildInput(t, "collector:\n    workspace: ../../pipelines\n    sources: [ "+sources+" ]")
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "wk_in_clear")
	}
}

func twice(a, b, keyA, keyB string) string {
	form := `{ name: %s, kind: server, write_keys: [ { id: a, sha256: "` + "%s" + `" } ] }`
	return fmt.Sprintf(form+", "+form, a, hashOf(keyA), b, hashOf(keyB))
}
