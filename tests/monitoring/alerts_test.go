package monitoring

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRulesHold(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	promtool(t, "check", "rules", "pipelines/monitoring/rules.yaml")
	promtool(t, "check", "config", "pipelines/monitoring/prometheus.yaml")
	promtool(t, "test", "rules", "pipelines/monitoring/rules_test.promtool")
}

// faults is how each alert is brought about on real streams. The key is the alert that must fire, and no other may.
var faults = map[string]struct {
	after int // minutes from the last scrape
	seed  func(h *house, s *scrapes)
}{
	"EbbgateLagNearLoss": {2, func(h *house, s *scrapes) {
		h.unreachable()
		h.publish("events.authorized.analytics", time.Now().Add(-11*24*time.Hour), "old") // of the 14 days it is kept
		h.reads("analytics")
		h.scrape(s)
	}},
	"EbbgateStalledSink": {25, func(h *house, s *scrapes) {
		h.unreachable()
		h.publish("events.authorized.analytics", time.Now(), "new")
		h.reads("analytics")
		h.scrape(s)
	}},
	"EbbgatePolicyViolation": {2, func(h *house, s *scrapes) {
		h.healthy(s, 2)
		h.publish("events.authorized.analytics", time.Now(), h.event(agreed, ""))
		h.counts("analytics", `ebbgate_refused_total{`, `code="seal.missing"`)
		h.scrape(s)
	}},
	"EbbgateUnexpectedDestination": {2, func(h *house, s *scrapes) {
		h.run("govern", "topic: ${! @topic }", "topic: events.authorized.analytics")
		h.publish("events.validated", time.Now(), h.event(agreed, ""))
		h.counts("govern", `ebbgate_output_refused_total{`, `code="seal.destination"`)
		h.scrape(s)
	}},
	"EbbgateMissingConsent": {7, func(h *house, s *scrapes) {
		h.healthy(s, 2)
		for range 2 {
			h.publish("inbound.events", time.Now(), append(h.events(20, agreed, ""), h.events(5, silent, "")...)...)
			h.settled()
			h.scrape(s)
		}
	}},
	"EbbgateSchemaDrift": {2, func(h *house, s *scrapes) {
		h.healthy(s, 2)
		h.publish("inbound.events", time.Now(), h.event(agreed, `,"email":"ada@example.com"`))
		h.settled()
		h.scrape(s)
	}},
	"EbbgateQuarantineRate": {7, func(h *house, s *scrapes) {
		h.healthy(s, 2)
		for range 2 {
			h.publish("inbound.events", time.Now(), append(h.events(20, agreed, ""), h.events(3, agreed, `,"seats":"many","plan":7`)...)...)
			h.settled()
			h.scrape(s)
		}
	}},
	"EbbgateWebhooksRefused": {7, func(h *house, s *scrapes) {
		h.openDoor()
		for range 3 {
			h.deliver(10, 30)
			h.scrape(s)
		}
	}},
	"EbbgateReloadFailed": {4, func(h *house, s *scrapes) {
		dir := h.t.TempDir()
		require.NoError(h.t, os.CopyFS(dir, os.DirFS("pipelines")))
		h.run("validate", "contract: {}", "contract: { workspace: "+dir+", reload_period: 10ms }", "stage: validate", "stage: validate\n        workspace: "+dir)
		h.counts("validate", "ebbgate_reload_failed{", "} 0")
		h.scrape(s)
		require.NoError(h.t, os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte("version: ["), 0o600))
		h.counts("validate", "ebbgate_reload_failed{", "} 1")
		h.scrape(s)
	}},
	"EbbgateDown": {5, func(_ *house, s *scrapes) {
		s.values = map[string][]string{`up{job="ebbgate",instance="gone"}`: {"1", "0"}}
		s.taken = 2
	}},
}

func TestEveryAlertFires(t *testing.T) {
	for alert, fault := range faults {
		t.Run(alert, func(t *testing.T) {
			h := newHouse(t)
			var s scrapes
			fault.seed(h, &s)
			s.fires(t, fault.after, alert)
		})
	}
}

func TestEveryAlertHasAFault(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "pipelines", "monitoring", "rules.yaml"))
	require.NoError(t, err)
	names := regexp.MustCompile(`(?m)^ +- alert: (\w+)$`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, names, len(faults))
	for _, name := range names {
		require.Contains(t, faults, name[1])
	}
}

// healthy lets traffic through that has nothing wrong with it, and scrapes after each round of it.
func (h *house) healthy(s *scrapes, rounds int) {
	h.t.Helper()
	if len(h.exporters) == 0 {
		h.everything()
	}
	for range rounds {
		h.publish("inbound.events", time.Now(), h.events(30, agreed, "")...)
		h.settled()
		h.scrape(s)
	}
}

func TestHealthyTrafficIsSilent(t *testing.T) {
	h := newHouse(t)
	var s scrapes
	h.everything()
	h.openDoor()
	for range 5 {
		h.deliver(30, 10)
		h.healthy(&s, 1)
	}
	for _, after := range []int{0, 3, 10, 25} {
		s.fires(t, after)
	}
}

// unreachable runs the sink with a ClickHouse that is not there.
func (h *house) unreachable() {
	h.t.Helper()
	h.t.Setenv("EBBGATE_CLICKHOUSE_DSN", "http://127.0.0.1:1/default")
	h.run("analytics")
}

// reads waits until a stream has seen something unread.
func (h *house) reads(stream string) {
	h.t.Helper()
	lag := regexp.MustCompile(`(?m)^ebbgate_input_oldest_unread_timestamp_seconds\{.*\} [1-9]`)
	h.until(func() bool { return lag.MatchString(h.exporters[stream].scrape()) }, stream+" has read nothing")
}

// counts waits until a stream has counted.
func (h *house) counts(stream string, parts ...string) {
	h.t.Helper()
	h.until(func() bool {
		for line := range strings.Lines(h.exporters[stream].scrape()) {
			found := true
			for _, part := range parts {
				found = found && strings.Contains(line, part)
			}
			if found {
				return true
			}
		}
		return false
	}, stream+" does not count "+strings.Join(parts, " "))
}
