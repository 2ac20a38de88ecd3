package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/mask"
	"github.com/ebbgate/ebbgate/internal/policy"
)

const ruleContract = `event: signed_up
version: 1.0.0
owner: data
class: product
properties:
  plan: { type: string, classification: none }
  email: { type: string, classification: direct, allowed_for: [marketing] }
  seats: { type: integer, classification: none }
  amount: { type: number, classification: none }
  flag: { type: boolean, classification: none }
  when: { type: timestamp, classification: none }
  extra: { type: json, classification: none }
  tags: { type: array, items: string, classification: none }
  address: { type: object, properties: { city: { type: string, classification: quasi } } }
  items: { type: array, items: { type: object, properties: { sku: { type: string, classification: none }, note: { type: string, classification: sensitive } } } }
`

// withRules is a workspace whose destination "out" has the rules, one to a line; line 7 is the first.
func withRules(rules ...string) fstest.MapFS {
	src := "version: \"1\"\ndestinations:\n  out:\n    purpose: analytics\n    fields:\n      event_id: keep\n"
	for _, r := range rules {
		src += "      " + r + "\n"
	}
	src += "  mail:\n    purpose: marketing\n    unless: [suppressed]\n    events: [signed_up]\n    fields: { event_id: keep, properties.email: keep }\n"
	return fstest.MapFS{
		"contracts/classes.yaml":   {Data: []byte("classes: {product: {retention: 400d, storage: analytics}}\n")},
		"contracts/signed_up.yaml": {Data: []byte(ruleContract)},
		"contracts/left.yaml":      {Data: []byte("event: left\nversion: 1.0.0\nowner: data\nclass: product\n")},
		"policy.yaml":              {Data: []byte(src)},
	}
}

// show projects an event with these properties and returns the properties of the output.
func (h *harness) show(t *testing.T, properties string, v *consent.Verdict) (string, policy.Projection) {
	t.Helper()
	require.NoError(t, h.scanner.Scan([]byte(`{"event_name":"signed_up","event_id":"e","properties":`+properties+`}`), &h.index))
	var out policy.Projection
	got, err := h.worker.Project(0, nil, &h.index, v, &out)
	require.NoError(t, err)
	text := strings.TrimPrefix(strings.TrimSuffix(string(got), "}"), `{"event_id":"e"`)
	return strings.TrimPrefix(text, `,"properties":`), out
}

func token(path, text string) string {
	shown, _ := mask.Tokenize(testRing.Token("out", path)).Append(nil, []byte(text))
	return string(shown)
}

// TestRules has each operation on each type, with what it shows.
func TestRules(t *testing.T) {
	cases := map[string]struct{ rule, in, want string }{
		"keep a string":               {"properties.plan: keep", `{"plan":"pro"}`, `{"plan":"pro"}`},
		"keep an escaped string":      {"properties.plan: keep", `{"pl\u0061n":"a\u0041\/\n"}`, `{"plan":"aA/\n"}`},
		"keep an integer":             {"properties.seats: keep", `{"seats":-0}`, `{"seats":-0}`},
		"keep a long number as sent":  {"properties.amount: keep", `{"amount":12345678901234567890.10e1}`, `{"amount":12345678901234567890.10e1}`},
		"keep a boolean":              {"properties.flag: keep", `{"flag":false}`, `{"flag":false}`},
		"keep null":                   {"properties.plan: keep", `{"plan":null}`, `{"plan":null}`},
		"keep json":                   {"properties.extra: keep", `{"extra": { "a" : [ 1, {"plan":"\u0061"} ] } }`, `{"extra":{"a":[1,{"plan":"a"}]}}`},
		"keep elements":               {"properties.tags[]: keep", `{"tags":["a", "b"]}`, `{"tags":["a","b"]}`},
		"keep inside an object":       {"properties.address.city: keep", `{"address":{"x":1,"city":"Bern"}}`, `{"address":{"city":"Bern"}}`},
		"keep inside elements":        {"properties.items[].sku: keep", `{"items":[{"sku":"s","note":"n"},{"note":"n"},{"sku":"t"}]}`, `{"items":[{"sku":"s"},{"sku":"t"}]}`},
		"long form of keep":           {"properties.plan: { keep: true }", `{"plan":"pro"}`, `{"plan":"pro"}`},
		"drop":                        {"properties.plan: drop", `{"plan":"pro"}`, ``},
		"unlisted":                    {"event_name: drop", `{"plan":"pro"}`, ``},
		"string rule, number":         {"properties.plan: keep", `{"plan":7}`, ``},
		"string rule, object":         {"properties.plan: keep", `{"plan":{"plan":"x"}}`, ``},
		"string rule, array":          {"properties.plan: keep", `{"plan":["x"]}`, ``},
		"integer rule, string":        {"properties.seats: keep", `{"seats":"someone@example.com"}`, ``},
		"boolean rule, string":        {"properties.flag: keep", `{"flag":"someone@example.com"}`, ``},
		"object rule, string":         {"properties.address.city: keep", `{"address":"Bern"}`, ``},
		"object rule, array":          {"properties.address.city: keep", `{"address":[{"city":"Bern"}]}`, ``},
		"array rule, string":          {"properties.tags[]: keep", `{"tags":"a"}`, ``},
		"array rule, object":          {"properties.tags[]: keep", `{"tags":{"a":"b"}}`, ``},
		"element of another type":     {"properties.tags[]: keep", `{"tags":["a",1,["b"],{"c":1},null]}`, `{"tags":["a",null]}`},
		"empty object":                {"properties.address.city: keep", `{"address":{}}`, ``},
		"empty array":                 {"properties.tags[]: keep", `{"tags":[]}`, ``},
		"tokenize":                    {"properties.email: tokenize", `{"email":"a@example.com"}`, `{"email":"` + token("properties.email", "a@example.com") + `"}`},
		"tokenize unescapes first":    {"properties.email: tokenize", `{"email":"\u0061@example.com"}`, `{"email":"` + token("properties.email", "a@example.com") + `"}`},
		"tokenize an integer":         {"properties.seats: tokenize", `{"seats":7}`, `{"seats":"` + token("properties.seats", "7") + `"}`},
		"tokenize null":               {"properties.email: tokenize", `{"email":null}`, `{"email":null}`},
		"tokenize, wrong type":        {"properties.email: tokenize", `{"email":["a@example.com"]}`, ``},
		"tokenize elements":           {"properties.tags[]: tokenize", `{"tags":["a"]}`, `{"tags":["` + token("properties.tags[]", "a") + `"]}`},
		"mask an address":             {"properties.email: { mask: email }", `{"email":"anna@example.com"}`, ""},
		"mask what is no address":     {"properties.email: { mask: email }", `{"email":"anna"}`, ``},
		"scrub":                       {"properties.items[].note: scrub", `{"items":[{"note":"call anna@example.com"}]}`, `{"items":[{"note":"call [email]"}]}`},
		"scrub elements":              {"properties.tags[]: scrub", `{"tags":["call anna@example.com"]}`, `{"tags":["call [email]"]}`},
		"truncate":                    {"properties.plan: { truncate: 2 }", `{"plan":"öäü"}`, `{"plan":"öä"}`},
		"bucket":                      {"properties.seats: { bucket: [10, 50] }", `{"seats":12}`, `{"seats":"10-50"}`},
		"truncate_time":               {"properties.when: { truncate_time: day }", `{"when":"2026-04-13T09:59:58Z"}`, `{"when":"2026-04-13T00:00:00Z"}`},
		"truncate_time, no time":      {"properties.when: { truncate_time: day }", `{"when":"someone@example.com"}`, ``},
		"requires what is not given":  {"properties.plan: { keep: true, requires: marketing }", `{"plan":"pro"}`, ``},
		"transform and requires":      {"properties.plan: { truncate: 2, requires: marketing }", `{"plan":"pro"}`, ``},
		"elements and requires":       {"properties.tags[]: { keep: true, requires: marketing }", `{"tags":["a"]}`, ``},
		"order and white space":       {"properties.plan: keep\n      properties.flag: keep", "{ \"flag\" : true ,\n\"plan\":\"pro\" , \"x\": 1}", `{"flag":true,"plan":"pro"}`},
		"neighbours with white space": {"properties.plan: keep\n      properties.flag: keep", "{\"flag\":true ,\"plan\":\"pro\"}", `{"flag":true,"plan":"pro"}`},
		"neighbours around a secret":  {"properties.plan: keep\n      properties.flag: keep", `{"flag":true,"email":"x","plan":"pro"}`, `{"flag":true,"plan":"pro"}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, withRules(strings.Split(c.rule, "\n      ")...))
			got, _ := h.show(t, c.in, h.verdict("analytics"))
			if name == "mask an address" {
				assert.NotContains(t, got, "anna")
				assert.Contains(t, got, "example.com")
				return
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestProjectionCounts(t *testing.T) {
	h := newHarness(t, withRules("properties.plan: keep", "properties.email: tokenize", "properties.when: { truncate_time: day }", "properties.flag: drop",
		"properties.seats: { keep: true, requires: marketing }"))
	_, out := h.show(t, `{"plan":"pro","email":"a@example.com","when":"never","flag":true,"seats":3,"extra":{"a":1,"b":2}}`, h.verdict("analytics"))
	assert.Equal(t, policy.Projection{Requires: "analytics", Kept: 2, Dropped: 4, Transformed: 1, Failed: 1}, out, "event_name, flag, seats and extra are dropped")
}

func TestRequiresHeader(t *testing.T) {
	h := newHarness(t, withRules("properties.plan: keep", "properties.seats: { keep: true, requires: marketing }", "properties.tags[]: { tokenize: true, requires: marketing }",
		"properties.flag: { keep: true, requires: marketing }"))
	both := h.verdict("analytics", "marketing")
	for properties, want := range map[string]string{
		`{"plan":"pro"}`: "analytics",
		`{"seats":1}`:    "analytics;marketing=properties.seats",
		`{"tags":["a","b"],"flag":true,"plan":"x","seats":2}`: "analytics;marketing=properties.flag,properties.seats,properties.tags[]",
		`{"seats":"wrong"}`: "analytics",
		`{"tags":[]}`:       "analytics",
	} {
		_, out := h.show(t, properties, both)
		assert.Equal(t, want, out.Requires, properties)
		parsed, err := policy.ParseRequires(out.Requires)
		require.NoError(t, err)
		assert.Equal(t, "analytics", parsed.Purpose)
		if _, list, ok := strings.Cut(want, "="); ok {
			assert.Equal(t, []policy.FieldRequires{{Purpose: "marketing", Paths: strings.Split(list, ",")}}, parsed.Fields)
		}
		_, out = h.show(t, properties, h.verdict("analytics"))
		assert.Equal(t, "analytics", out.Requires, "nothing was relied on that is not held")
	}
	h = newHarness(t, withRules("consent.source: { keep: true, requires: marketing }"))
	for held, want := range map[string]string{"marketing": `"consent":{"source":"web"}`, "analytics": ""} {
		require.NoError(t, h.scanner.Scan([]byte(`{"event_name":"signed_up","event_id":"e","consent":{"source":"web"}}`), &h.index))
		var out policy.Projection
		got, err := h.worker.Project(0, nil, &h.index, h.verdict("analytics", held), &out)
		require.NoError(t, err)
		assert.Equal(t, want != "", strings.Contains(string(got), `"consent":{"source":"web"}`))
		assert.Equal(t, want != "", out.Requires == "analytics;marketing=consent.source", out.Requires)
		decisions, err := h.worker.Explain(0, &h.index, h.verdict("analytics", held))
		require.NoError(t, err)
		assert.Equal(t, want == "", decisions[2].Verdict == "dropped")
	}
	for _, bad := range []string{"", ";marketing=a", "analytics;", "analytics;marketing", "analytics;marketing=", "analytics;=a", "analytics;marketing=a,,b"} {
		_, err := policy.ParseRequires(bad)
		assert.Error(t, err, bad)
	}
}

func TestConsentComesFromTheVerdict(t *testing.T) {
	h := newHarness(t, withRules("consent.source: keep", "consent.version: keep", "consent.checked_at: { truncate_time: day }", "consent.marketing: keep"))
	at := time.Date(2026, 4, 13, 10, 0, 0, 0, time.FixedZone("", 7200))
	recorded := h.verdict("analytics")
	recorded.Recorded, recorded.Source, recorded.Version, recorded.CheckedAt = true, "consent_\"service\"", 8, at
	bare := h.verdict("analytics")
	bare.Recorded = true
	own := `"consent":{"marketing":true,"analytics":true,"source":"w\u0065b","version":"7","checked_at":"2026-01-01T05:00:00Z"}`
	cases := map[string]struct {
		body    string
		verdict *consent.Verdict
		want    string
	}{
		"record replaces the claim": {own, recorded, `"consent":{"source":"consent_\"service\"","version":"8","checked_at":"2026-04-13T00:00:00Z","marketing":false}`},
		"record and no claim":       {`"subject":{}`, recorded, `"consent":{"source":"consent_\"service\"","version":"8","checked_at":"2026-04-13T00:00:00Z","marketing":false}`},
		"claim is null":             {`"consent":null`, recorded, `"consent":{"source":"consent_\"service\"","version":"8","checked_at":"2026-04-13T00:00:00Z","marketing":false}`},
		"record without source":     {`"consent":{"source":"web","version":"7","checked_at":"2026-01-01T05:00:00Z"}`, bare, `"consent":{"version":"0","marketing":false}`},
		"claim only":                {own, h.verdict("analytics", "marketing"), `"consent":{"source":"web","version":"7","checked_at":"2026-01-01T00:00:00Z","marketing":true}`},
		"neither":                   {`"subject":{}`, h.verdict("analytics"), `"consent":{"marketing":false}`},
		"wrong types in the claim":  {`"consent":{"source":{"a":"b"},"version":7}`, h.verdict("analytics"), `"consent":{"marketing":false}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, h.scanner.Scan([]byte(`{"event_name":"signed_up","event_id":"e",`+c.body+`}`), &h.index))
			var out policy.Projection
			got, err := h.worker.Project(0, nil, &h.index, c.verdict, &out)
			require.NoError(t, err)
			assert.Equal(t, `{"event_id":"e",`+c.want+`}`, string(got))
		})
	}
}

func TestDestinationsCannotBeJoined(t *testing.T) {
	src := "version: \"1\"\ndestinations:\n"
	for _, name := range []string{"one", "two"} {
		src += fmt.Sprintf("  %s: {purpose: analytics, fields: {event_id: keep, subject.user_id: tokenize, subject.account_id: tokenize}}\n", name)
	}
	files := withRules()
	files["policy.yaml"] = &fstest.MapFile{Data: []byte(src)}
	h := newHarness(t, files)
	require.NoError(t, h.scanner.Scan([]byte(`{"event_name":"left","subject":{"user_id":"same","account_id":"same"}}`), &h.index))
	seen := map[string]bool{}
	for i := range 2 {
		var out policy.Projection
		got, err := h.worker.Project(i, nil, &h.index, h.verdict("analytics"), &out)
		require.NoError(t, err)
		for _, token := range strings.Split(string(got), `"`) {
			if strings.HasPrefix(token, "t1.") {
				assert.False(t, seen[token])
				seen[token] = true
			}
		}
	}
	assert.Len(t, seen, 4)
}
