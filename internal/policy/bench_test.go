package policy_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
)

// benchWorkspace has an event of about 1 KB: 3 values do not go, 1 becomes a token, the others go.
func benchWorkspace() (files fstest.MapFS, body []byte) {
	var contract, rules, properties strings.Builder
	contract.WriteString("event: signed_up\nversion: 1.0.0\nowner: data\nclass: product\nproperties:\n")
	names := []string{
		"plan", "interval", "referrer_domain", "landing_path", "utm_source", "utm_medium", "utm_campaign", "utm_content",
		"device", "operating_system", "browser", "language", "time_zone", "screen", "experiment", "variant", "region", "segment",
		"channel", "feature", "outcome", "release", "team", "store",
	}
	for _, name := range names {
		contract.WriteString("  " + name + ": {type: string, classification: none}\n")
		rules.WriteString("      properties." + name + ": keep\n")
		properties.WriteString(`"` + name + `":"value of ` + name + `",`)
	}
	for _, name := range []string{"email", "phone", "comment"} {
		contract.WriteString("  " + name + ": {type: string, classification: direct}\n")
	}
	for _, name := range []string{"seats", "duration_ms"} {
		contract.WriteString("  " + name + ": {type: integer, classification: none}\n")
		rules.WriteString("      properties." + name + ": keep\n")
	}
	src := `version: "1"
destinations:
  out:
    purpose: analytics
    fields:
      event_id: keep
      event_name: keep
      timestamp: keep
      received_at: keep
      subject.user_id: tokenize
      subject.account_id: keep
      context.source: keep
      context.schema_version: keep
      context.correlation_id: keep
` + strings.Replace(rules.String(), "utm_campaign: keep", "utm_campaign: {keep: true, requires: marketing}", 1) +
		"  mail:\n    purpose: marketing\n    fields: {event_id: keep}\n"
	body = []byte(`{"event_name":"signed_up","event_id":"evt_01hx3v9kq2m4n5p6r7s8t9v0w1","timestamp":"2026-04-13T09:59:58.120Z",` +
		`"received_at":"2026-04-13T10:00:00.004Z","subject":{"user_id":"u_1234567","account_id":"a_456"},` +
		`"context":{"source":"web_app","schema_version":"1.0.0","correlation_id":"req_abcdef"},"properties":{` + properties.String() +
		`"email":"someone@example.com","phone":"+1 555 0100","comment":"free text","seats":12,"duration_ms":48213}}`)
	return fstest.MapFS{
		"contracts/classes.yaml":   {Data: []byte("classes: {product: {retention: 400d, storage: analytics}}\n")},
		"contracts/signed_up.yaml": {Data: []byte(contract.String())},
		"policy.yaml":              {Data: []byte(src)},
	}, body
}

func BenchmarkProject(b *testing.B) {
	files, body := benchWorkspace()
	h := newHarness(b, files)
	require.NoError(b, h.scanner.Scan(body, &h.index))
	verdict := h.verdict("analytics", "marketing")
	var out policy.Projection
	var dst []byte
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = h.worker.Project(0, dst[:0], &h.index, verdict, &out)
	}
	require.Equal(b, 3, out.Dropped)
	require.Equal(b, 1, out.Transformed)
	require.Equal(b, 34, out.Kept)
}

func BenchmarkScanAndProject(b *testing.B) {
	files, body := benchWorkspace()
	h := newHarness(b, files)
	verdict := h.verdict("analytics", "marketing")
	var out policy.Projection
	var dst []byte
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := h.scanner.Scan(body, &h.index); err != nil {
			b.Fatal(err)
		}
		dst, _ = h.worker.Project(0, dst[:0], &h.index, verdict, &out)
	}
}

func BenchmarkExplain(b *testing.B) {
	files, body := benchWorkspace()
	h := newHarness(b, files)
	require.NoError(b, h.scanner.Scan(body, &h.index))
	verdict := h.verdict("analytics", "marketing")
	for b.Loop() {
		if _, err := h.worker.Explain(0, &h.index, verdict); err != nil {
			b.Fatal(err)
		}
	}
}

func TestProjectDoesNotAllocate(t *testing.T) {
	files, body := benchWorkspace()
	h := newHarness(t, files)
	require.NoError(t, h.scanner.Scan(body, &h.index))
	escaped := []byte(strings.ReplaceAll(string(body), "value of", `\u0076alue\nof`))
	var second event.Index
	require.NoError(t, h.scanner.Scan(escaped, &second))
	verdict := h.verdict("analytics", "marketing")
	var out policy.Projection
	dst := make([]byte, 0, 4096)
	for name, ix := range map[string]*event.Index{"plain": &h.index, "escaped": &second} {
		allocations := testing.AllocsPerRun(100, func() {
			dst, _ = h.worker.Project(0, dst[:0], ix, verdict, &out)
		})
		if !raceDetector {
			require.Zero(t, allocations, name)
		}
	}
}
