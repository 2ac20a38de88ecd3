package explain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/explain"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

const shipped = "../../pipelines"

var now = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

func explained(t *testing.T, body string, given map[string]bool) *explain.Report {
	t.Helper()
	ws, err := workspace.LoadRules(shipped, "")
	require.NoError(t, err)
	e, err := explain.New(ws)
	require.NoError(t, err)
	r, err := e.Event([]byte(body), explain.Options{Now: now, Consent: given})
	require.NoError(t, err)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.NotContains(t, string(text), "canary", "a value is told")
	return r
}

func view(consent, properties string) string {
	return fmt.Sprintf(`{"event_name":"page_viewed","event_id":"evt_1","timestamp":"2026-11-24T09:59:00Z","received_at":"2026-11-24T09:59:00Z",`+
		`"subject":{"user_id":"canary"},%s"context":{"source":"web_app","schema_version":"1.1.0"},"properties":{%s}}`, consent, properties)
}

func at(t *testing.T, r *explain.Report, name string) explain.Destination {
	t.Helper()
	for _, d := range r.Destinations {
		if d.Destination == name {
			return d
		}
	}
	require.Fail(t, "no such destination", name)
	return explain.Destination{}
}

func decisions(fields []explain.Field) map[string]string {
	out := map[string]string{}
	for _, f := range fields {
		out[f.Path] = f.Decision
	}
	return out
}

func TestEveryFieldIsExplained(t *testing.T) {
	r := explained(t, view(`"consent":{"analytics":true,"marketing":false},`,
		`"path":"/canary","utm_source":"canary","referrer":"canary","experiments":["canary","b","c"],"note":{"canary@example.com":1,"deep":2}`), nil)
	require.Equal(t, explain.BasisClaim, r.Consent.Basis)
	require.Equal(t, map[string]string{"properties.note.?": explain.Remove, "properties.note.deep": explain.Remove}, decisions(r.Removed))
	require.Equal(t, r.Contract.Rule, r.Removed[0].Rule)
	d := at(t, r, "analytics")
	require.Equal(t, map[string]string{
		"event_name": explain.Keep, "event_id": explain.Keep, "timestamp": explain.Keep, "received_at": explain.Keep,
		"subject.user_id": explain.Transform, "consent.analytics": explain.NotListed, "consent.marketing": explain.NotListed,
		"consent.checked_at": explain.Keep, "context.source": explain.Keep, "context.schema_version": explain.Keep,
		"properties.path": explain.Keep, "properties.utm_source": explain.NotRequired, "properties.referrer": explain.NotListed,
		"properties.experiments[]": explain.Keep,
	}, decisions(d.Fields))
	for _, f := range d.Fields {
		if f.Path == "properties.experiments[]" {
			require.Equal(t, 3, f.Values)
		}
		if f.Decision == explain.NotRequired {
			require.Equal(t, "requires marketing: consent.marketing=false", f.Reason)
			require.Regexp(t, `^policy\.yaml:\d+$`, f.Rule)
		}
	}
	require.Equal(t, []string{explain.Denied, "event.unlisted"}, []string{at(t, r, "activation").Verdict, at(t, r, "activation").Reason})
}

func TestGivenConsentStandsForClaimAndRecord(t *testing.T) {
	body := view(`"consent":{"analytics":false,"marketing":true},`, `"path":"/"`)
	require.Equal(t, "consent.analytics=false", at(t, explained(t, body, nil), "analytics").Reason)
	allowed := explained(t, body, map[string]bool{"analytics": true})
	require.Equal(t, explain.Allowed, at(t, allowed, "analytics").Verdict)
	require.Equal(t, explain.BasisGiven, allowed.Consent.Basis)
	require.True(t, allowed.Consent.Purposes[1].Holds, "what is not given stays as the event claims it")
	require.Equal(t, "consent.withdrawn.marketing", explained(t, body, map[string]bool{"marketing": false}).Consent.Purposes[1].Reason)

	looked := `{"event_name":"github_activity","timestamp":"2026-11-24T09:59:00Z","subject":{"user_id":"github:1"},"consent":{"analytics":true},` +
		`"context":{"source":"github","schema_version":"1.0.0"},"properties":{"event":"push"}}`
	none := explained(t, looked, nil)
	require.Equal(t, "consent.missing", at(t, none, "analytics").Reason)
	require.Contains(t, strings.Join(none.Notes, "\n"), "looks this source up")
	require.Equal(t, explain.Allowed, at(t, explained(t, looked, map[string]bool{"analytics": true}), "analytics").Verdict)

	ws, err := workspace.LoadRules(shipped, "")
	require.NoError(t, err)
	e, err := explain.New(ws)
	require.NoError(t, err)
	_, err = e.Event([]byte(body), explain.Options{Now: now, Consent: map[string]bool{"marketting": true}})
	require.ErrorContains(t, err, `no purpose "marketting"`)
}

func TestQuarantineIsExplainedWithCodePathAndLine(t *testing.T) {
	yes := `"consent":{"analytics":true},`
	cases := map[string]struct{ body, stage, code, path, rule string }{
		"syntax":   {`{"a":1,"a":2}`, "ingest", "event.duplicate_name", "?", ""},
		"envelope": {strings.Replace(view(yes, `"path":"/"`), "2026-11-24T09:59:00Z", "canary", 1), "ingest", "envelope.timestamp", "timestamp", ""},
		"type":     {view(yes, `"path":7`), "validate", "contract.type", "properties.path", "contracts/page_viewed.yaml:24"},
		"required": {view(yes, `"title":"canary"`), "validate", "contract.required", "properties.path", "contracts/page_viewed.yaml:24"},
		"consent":  {view(`"consent":{"analytics":"canary"},`, `"path":"/"`), "validate", "consent.type", "consent.analytics", ""},
		"unknown":  {strings.Replace(view(yes, ""), "page_viewed", "canary", 1), "validate", "contract.unknown_event", "event_name", ""},
		"undeclared": {
			strings.NewReplacer("page_viewed", "form_submitted", "1.1.0", "1.0.0").Replace(view(yes, `"form_id":"x","surplus":"canary"`)),
			"validate", "contract.undeclared", "properties.surplus", "contracts/form_submitted.yaml:1",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := explained(t, c.body, nil)
			require.True(t, r.Quarantined())
			f := r.Faults[0]
			require.Equal(t, []string{c.stage, c.code, c.path, c.rule}, []string{f.Stage, f.Code, f.Path, f.Rule})
			require.Equal(t, explain.Quarantined, at(t, r, "analytics").Verdict)
		})
	}
}

func TestWhatMayNotBeStoredGoesNowhere(t *testing.T) {
	r := explained(t, view(`"consent":{"analytics":false,"marketing":true},`, `"path":"/"`), nil)
	for _, d := range r.Destinations {
		require.Equal(t, []string{explain.Denied, "validate", "consent.analytics=false", "contracts/classes.yaml:4"}, []string{d.Verdict, d.Stage, d.Reason, d.Rule})
	}
}

// Records are explained by the version they name, however the workspace looks by now, and a record that has other fields
// than its policy lets go is told.
func TestRecordedDecisionsAreHeldAgainstTheRecord(t *testing.T) {
	ws, err := workspace.Load(shipped)
	require.NoError(t, err)
	record := ws.Publish()
	rules := func(version string) (*workspace.Workspace, error) {
		if version != record.Version {
			return nil, errors.New("unknown")
		}
		return record.Rules()
	}
	ev := explain.Evidence{
		EventID: "evt_1", Destinations: []string{"analytics", "warehouse", "activation"},
		Validated: []byte(`{"event_name":"page_viewed","event_id":"evt_1","subject":{"user_id":"u"},"properties":{"path":"/","utm_source":"x"}}`),
		Outcomes: []explain.Outcome{
			{At: now, Destination: "analytics", Sealed: &explain.Sealed{
				Policy: record.Version, ConsentVersion: "4", Requires: "analytics",
				Body: []byte(`{"event_name":"page_viewed","event_id":"evt_1","subject":{"user_id":"t"},"properties":{"path":"/"},"consent":{"checked_at":"x"}}`),
			}},
			{At: now, Destination: "warehouse", Decision: &consent.Decision{Verdict: consent.Denied, Reason: "event.unlisted", Rule: "policy.yaml:9", Policy: "lost", Stage: "govern"}},
		},
	}
	r := explain.Recorded(ev, rules)
	d := at(t, r, "analytics")
	require.True(t, *d.Verified, "%+v", d)
	require.Equal(t, explain.NotRequired, decisions(d.Fields)["properties.utm_source"], "the record did not rely on marketing")
	require.Equal(t, []string{explain.Denied, "policy.yaml:9", "lost"}, []string{at(t, r, "warehouse").Verdict, at(t, r, "warehouse").Rule, at(t, r, "warehouse").Policy})
	require.Contains(t, strings.Join(r.Notes, "\n"), "policy lost: unknown")
	require.Equal(t, explain.Undecided, at(t, r, "activation").Verdict)

	right := ev.Outcomes[0].Sealed.Body
	ev.Outcomes[0].Sealed.Body = []byte(strings.Replace(string(right), `"path":"/"`, `"path":"/","utm_source":"x"`, 1))
	require.False(t, *at(t, explain.Recorded(ev, rules), "analytics").Verified, "the record has a field that should not have gone")
	ev.Outcomes[0].Sealed.Body = right

	ev.Outcomes[0].Sealed.Requires = "analytics;marketing=properties.utm_source"
	d = at(t, explain.Recorded(ev, rules), "analytics")
	require.Equal(t, explain.Keep, decisions(d.Fields)["properties.utm_source"])
	require.False(t, *d.Verified, "the record lacks a field that would have gone")

	ev.Outcomes = append(ev.Outcomes, explain.Outcome{At: now.Add(time.Second), Destination: "analytics", Decision: &consent.Decision{
		Verdict: consent.Denied, Reason: "consent.withdrawn.analytics", Policy: record.Version, Stage: "export",
	}})
	require.Equal(t, []string{explain.Denied, "export"}, []string{at(t, explain.Recorded(ev, rules), "analytics").Verdict, at(t, explain.Recorded(ev, rules), "analytics").Stage})

	ev.Validated, ev.Outcomes = nil, ev.Outcomes[:1]
	r = explain.Recorded(ev, rules)
	require.Equal(t, explain.Allowed, at(t, r, "analytics").Verdict)
	require.Empty(t, at(t, r, "analytics").Fields)
	require.Contains(t, strings.Join(r.Notes, "\n"), "no longer on the topic")
}
