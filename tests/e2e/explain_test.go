package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/explain"
	"github.com/ebbgate/ebbgate/internal/generate"
	"github.com/ebbgate/ebbgate/internal/trace"
)

// exits are the codes of the two commands that are not success.
const (
	exitQuarantined = 3
	exitNotFound    = 4
)

// With one command each a privacy officer learns of the running system why a field of a row was delivered, why an event was
// not, what became of every copy, and which policy version said so, also after the policy has changed.
func TestARunningSystemExplainsItself(t *testing.T) {
	h := newHouse(t)
	first := h.pipelines()
	h.publish(inbound,
		form("evt_yes", "u_1"),
		strings.Replace(campaign("evt_half", "u_2"), `"marketing":true`, `"marketing":false`, 1),
		campaign("evt_full", "u_2b"),
		strings.Replace(form("evt_bad", "u_3"), `"company_size":20`, `"company_size":"`+secret+`"`, 1),
		strings.Replace(view("evt_noted", "u_4"), `"path":`, `"note":"`+secret+`","path":`, 1),
		strings.Replace(view("unnamed", "u_5"), `"event_id":"unnamed",`, ``, 1),
	)
	h.drained()
	first.stop()
	version, sum := h.ws.Policy.Version, h.ws.Hash()
	h.replace("pipelines/policy.yaml", `version: "`+version+`"`, `version: "2031-01-01"`)
	h.replace("pipelines/policy.yaml", "      properties.path: keep\n", "")
	second := h.pipelines()
	h.publish(inbound, view("evt_new", "u_6"))
	h.drained()
	second.stop()

	yesReport := h.explain("evt_yes", 0)
	require.Equal(t, []explain.Policy{{Version: version, SHA256: sum}}, yesReport.Policies)
	h.field(yesReport, "activation", "properties.email", explain.Keep, h.line("properties.email: keep", "activation"))
	h.field(yesReport, "analytics", "properties.email", explain.NotListed, "")
	h.field(yesReport, "analytics", "subject.user_id", explain.Transform, h.line("subject.user_id: tokenize", "analytics"))
	require.Equal(t, "delivered", destination(t, yesReport, "analytics").State)

	half := h.explain("evt_half", 0)
	h.field(half, "analytics", "properties.utm_source", explain.NotRequired, h.line("properties.utm_source: {", "analytics"))
	h.field(h.explain("evt_full", 0), "analytics", "properties.utm_source", explain.Keep, h.line("properties.utm_source: {", "analytics"))

	old, fresh := h.explain("evt_noted", 0), h.explain("evt_new", 0)
	h.field(old, "analytics", "properties.path", explain.Keep, h.line("properties.path: keep", "analytics"))
	h.field(fresh, "analytics", "properties.path", explain.NotListed, "")
	require.Equal(t, "2031-01-01", destination(t, fresh, "analytics").Policy)
	require.Equal(t, []explain.Field{{
		Path: "properties.note", Decision: explain.Remove, Rule: "contracts/page_viewed.yaml:1", Reason: "its contract does not declare it", Values: 1,
	}}, old.Removed, "what validate removed is told as long as the raw event is there")
	refused := destination(t, old, "activation")
	require.Equal(t, []string{explain.Denied, "event.unlisted", version}, []string{refused.Verdict, refused.Reason, refused.Policy})

	bad := h.explain("evt_bad", exitQuarantined)
	require.Equal(t, "contract.type", bad.Faults[0].Code)
	require.Equal(t, "properties.company_size", bad.Faults[0].Path)

	require.Equal(t, []string{trace.Received, trace.Accepted, trace.Stored, trace.Authorized, trace.Denied, trace.Denied, trace.Delivered},
		outcomes(h.trace("evt_noted", 0).Events[0]))
	require.Equal(t, []string{trace.Received, trace.Accepted, trace.Quarantined}, outcomes(h.trace("evt_bad", 0).Events[0]))
	derived := h.derived()
	require.Equal(t, trace.Received, outcomes(h.trace(derived, 0).Events[0])[0], "an event without an id of its own is walked back to where it entered")
	require.Contains(t, h.run("trace", "evt_never").errors, "was not found; read")
	h.explain("evt_never", exitNotFound)
	h.trace("evt_never", exitNotFound)
}

// An event in a file is explained without any server or key, with a code for how it ends and no value of it.
func TestAnEventInAFileIsExplained(t *testing.T) {
	t.Parallel()
	h := bare(t)
	h.env = nil
	good := h.write("good.json", form("evt_1", "u_1"))
	bad := h.write("bad.json", `{"event_name":"form_submitted","event_name":"`+secret+`"}`)
	next := h.write("next.yaml", strings.ReplaceAll(h.read("pipelines/policy.yaml"), "      properties.email: keep\n", ""))
	var r explain.Report
	at := func(into *explain.Report, code int, args ...string) explain.Destination {
		t.Helper()
		*into = explain.Report{}
		o := h.run(append([]string{"policy", "explain", "--output", "json"}, args...)...)
		require.Equal(t, code, o.code, o.both())
		require.NotContains(t, o.both(), secret)
		require.NoError(t, json.Unmarshal([]byte(o.out), into), o.out)
		return destination(t, into, "activation")
	}
	decision := func(d explain.Destination) string {
		for _, f := range d.Fields {
			if f.Path == "properties.email" {
				return f.Decision
			}
		}
		return ""
	}
	require.Equal(t, explain.Keep, decision(at(&r, 0, good)))
	require.Equal(t, explain.BasisClaim, r.Consent.Basis)
	require.Equal(t, explain.NotListed, decision(at(&r, 0, "--policy", next, "--destination", "activation", good)))
	require.Len(t, r.Destinations, 1)
	require.Equal(t, "consent.withdrawn.marketing", at(&r, 0, "--consent", "marketing=false", good).Reason)
	require.Equal(t, "event.duplicate_name", at(&r, exitQuarantined, bad).Reason)
	for _, args := range [][]string{{}, {"missing.json"}, {"--consent", "marketing", good}, {"--destination", "moon", good}, {"--event-id", "x", good}} {
		require.Equal(t, 2, h.run(append([]string{"policy", "explain"}, args...)...).code, "%v", args)
	}
}

// An explanation of every event of a mixed stream finds exactly the fields that lie on the destinations' topics, and ends as
// the books do.
func TestExplanationsAgreeWithTheRecords(t *testing.T) {
	h := newHouse(t)
	_, events := generated(generate.Options{Seed: 5, Count: 36, Users: 10, BadShare: 0.1, MissingConsentShare: 0.1, WithdrawnShare: 0.2, CanaryEvery: 2})
	h.produce(inboundRecords(events)...)
	for _, stream := range h.streams() {
		if !strings.Contains(stream, "analytics") {
			p := h.start("streams", "-o", "pipelines/service.yaml", stream)
			defer p.stop()
		}
	}
	h.drained(h.hops()...)
	h.withdraw(events)
	p := h.start("streams", "-o", "pipelines/service.yaml", "pipelines/streams/analytics.yaml")
	h.drained()
	p.stop()
	rows, verified, late := h.rows(), 0, 0
	for _, ev := range events {
		if !ev.Expect.Accepted() {
			continue // several have no id that anybody could ask for
		}
		said := h.explain(ev.ID, 0)
		got := destination(t, said, "analytics")
		require.Equal(t, rows[ev.ID] > 0, got.State == "delivered", "%s: %+v", ev.ID, got)
		if got.Verdict == explain.Denied && got.Stage == "export" {
			late++
			continue
		}
		if reason := ev.Expect.Denied(generate.Analytics); reason != "" {
			require.Equal(t, reason, got.Reason)
			continue
		}
		for _, d := range said.Destinations {
			if d.Verdict == explain.Allowed {
				require.NotNil(t, d.Verified, "%s at %s", ev.ID, d.Destination)
				require.True(t, *d.Verified, "%s at %s", ev.ID, d.Destination)
				verified++
			}
		}
	}
	require.Greater(t, verified, 15)
	require.Positive(t, late, "nobody was denied at export")
}

// withdraw takes consent to analytics back for the first user whose event is deliverable.
func (h *house) withdraw(events []generate.Event) {
	h.t.Helper()
	for _, ev := range events {
		if ev.Subject.UserID != "" && ev.Expect.Accepted() && ev.Expect.Denied(generate.Analytics) == "" {
			h.must("consent", "set", "--user-id", ev.Subject.UserID, "analytics=false")
			return
		}
	}
	require.Fail(h.t, "nobody to withdraw")
}

// campaign is a campaign_touched event, parts of which go to analytics only with consent to marketing.
func campaign(id, user string) string {
	return fmt.Sprintf(`{"event_name":"page_viewed","event_id":%q,"timestamp":%q,"subject":{"user_id":%q},"consent":%s,`+
		`"context":{"source":"web_app","schema_version":"1.0.0"},"properties":{"path":"/pricing","utm_source":"%s"}}`, id, now(), user, yes, secret)
}

// explain asks for the explanation of an event of the running system.
func (h *house) explain(id string, code int) *explain.Report {
	h.t.Helper()
	report := &explain.Report{}
	h.ask(code, report, "policy", "explain", "--event-id", id)
	return report
}

func (h *house) trace(id string, code int) *trace.Trace {
	h.t.Helper()
	found := &trace.Trace{}
	h.ask(code, found, "trace", id)
	return found
}

// ask runs a command for its JSON. It says nothing of what events hold, in that or for people.
func (h *house) ask(code int, into any, args ...string) {
	h.t.Helper()
	flags := len(args)
	if args[0] == "trace" {
		flags--
	}
	text := h.run(args...)
	require.Equal(h.t, code, text.code, text.both())
	asked := append(append(append([]string{}, args[:flags]...), "--output", "json"), args[flags:]...)
	o := h.run(asked...)
	require.Equal(h.t, code, o.code, o.both())
	for _, said := range []string{o.both(), text.both()} {
		require.NotContains(h.t, said, secret)
		require.NotContains(h.t, said, "canary-")
		require.NotContains(h.t, said, "@example.com")
	}
	if code == exitNotFound {
		return
	}
	require.NoError(h.t, json.Unmarshal([]byte(o.out), into), o.out)
}

func (h *house) field(r *explain.Report, at, path, decision, rule string) {
	h.t.Helper()
	d := destination(h.t, r, at)
	require.Equal(h.t, explain.Allowed, d.Verdict, "%+v", d)
	require.NotNil(h.t, d.Verified)
	require.True(h.t, *d.Verified, "%+v", d)
	for _, f := range d.Fields {
		if f.Path == path {
			require.Equal(h.t, []string{decision, rule}, []string{f.Decision, f.Rule})
			return
		}
	}
	require.Fail(h.t, "no field", "%s is not among %+v", path, d.Fields)
}

func destination(t *testing.T, r *explain.Report, name string) explain.Destination {
	t.Helper()
	for _, d := range r.Destinations {
		if d.Destination == name {
			return d
		}
	}
	require.Fail(t, "no destination", "%s is not in %+v", name, r)
	return explain.Destination{}
}

// line is where the shipped policy has a rule of a destination.
func (h *house) line(rule, destination string) string {
	h.t.Helper()
	shipped, err := os.ReadFile(filepath.Join("..", "..", "pipelines", "policy.yaml"))
	require.NoError(h.t, err)
	within := false
	for i, line := range strings.Split(string(shipped), "\n") {
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") {
			within = strings.TrimSpace(line) == destination+":"
		}
		if within && strings.HasPrefix(strings.TrimSpace(line), rule) {
			return fmt.Sprintf("policy.yaml:%d", i+1)
		}
	}
	require.Fail(h.t, "no rule", "%s has no %s", destination, rule)
	return ""
}

func outcomes(e trace.Event) (list []string) {
	for _, s := range e.Steps {
		list = append(list, s.Outcome)
	}
	return list
}

// derived is the id of the event that was sent without one.
func (h *house) derived() string {
	h.t.Helper()
	for _, rec := range h.records(raw) {
		if id := header(rec, "event_id"); strings.HasPrefix(id, "evt_") && len(id) == len("evt_")+26 {
			return id
		}
	}
	require.Fail(h.t, "no derived id")
	return ""
}
