package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/books"
)

// The process is killed as soon as a new version lies on the policies topic, before or while events are judged by it. The next
// process goes on by that version: nothing is lost, and each record is what its version allows.
func TestAKillBetweenPublishingAPolicyAndJudgingByIt(t *testing.T) {
	const (
		file, rule, version = "pipelines/policy.yaml", "      properties.path: keep\n", `version: "2026-11-01"`
		kills, each         = 6, 40
	)
	stage := books.Stage{Topic: validated, Group: "ebbgate-govern"}
	h := newHouse(t)
	h.rewrite("pipelines/streams/govern.yaml", func(text string) string {
		return strings.Replace(text, "redact: {}", "redact: { reload_period: 5ms }", 1)
	})
	whole := h.read(file)
	policies := func() int64 {
		end, err := h.end("privacy.policies")
		require.NoError(t, err)
		return end
	}
	start := func() *process {
		return h.start("streams", "-o", "pipelines/service.yaml", "pipelines/streams/govern.yaml")
	}
	flow := func(n int) {
		for i := range each {
			h.publish(validated, view(fmt.Sprintf("evt_%d_%d", n, i), fmt.Sprintf("u_%d", i%7)))
		}
	}
	running := start()
	flow(0)
	h.drained(stage)
	for n := 1; n <= kills; n++ {
		known := policies()
		flow(n)
		next := strings.Replace(whole, version, fmt.Sprintf("version: v%d", n), 1)
		if n%2 == 1 {
			next = strings.Replace(next, rule, "", 1)
		}
		h.write(file, next)
		h.until(func() bool { return policies() > known }, func() string { return running.log() })
		running.kill()
		running = start()
	}
	flow(kills + 1)
	h.drained(stage)
	require.True(t, running.runs())

	published := map[string]bool{}
	for _, rec := range h.records("privacy.policies") {
		require.False(t, published[string(rec.Key)], "version %s is published once", rec.Key)
		published[string(rec.Key)] = true
	}
	require.Len(t, published, kills+1)
	events := map[string]bool{}
	for _, rec := range h.records(analytics) {
		name := header(rec, "ebbgate_policy")
		require.True(t, published[name], "version %s judged", name)
		without := strings.HasPrefix(name, "v") && (name[1]-'0')%2 == 1
		require.Equal(t, !without, strings.Contains(string(rec.Value), "/pricing"), "a record holds what version %s allows", name)
		events[header(rec, "event_id")] = true
	}
	require.Len(t, events, (kills+2)*each)
	require.Empty(t, h.records(dlq))
}
