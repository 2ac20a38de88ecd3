package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/books"
)

// A policy version names one content for ever. Changed without a new version it judges nothing.
func TestPolicyVersionIsNeverReused(t *testing.T) {
	const file, version, rule = "pipelines/policy.yaml", `version: "2026-11-01"`, "      properties.path: keep\n"
	govern := []string{"streams", "-o", "pipelines/service.yaml", "pipelines/streams/govern.yaml"}
	stage := books.Stage{Topic: validated, Group: "ebbgate-govern"}
	h := newHouse(t)
	h.publish(validated, view("evt_1", "u_1"))
	first := h.start(govern...)
	h.drained(stage)
	first.stop()
	require.Zero(t, first.ended(), first.log())

	h.replace(file, rule, "")
	h.publish(validated, view("evt_2", "u_2"))
	for _, args := range [][]string{govern, {"run", "pipelines/streams/govern.yaml"}} {
		refused := h.start(args...)
		require.NotZero(t, refused.ended(), refused.log())
		require.Contains(t, refused.log(), "give policy.yaml a new version")
	}
	end, err := h.end(analytics)
	require.NoError(t, err)
	require.EqualValues(t, 1, end, "nothing was judged under a name that means something else")

	h.replace(file, version, `version: "2026-11-02"`)
	for range 2 {
		second := h.start(govern...)
		h.drained(stage)
		second.stop()
	}
	published := map[string]int{}
	for _, rec := range h.records("privacy.policies") {
		var p struct{ Version, SHA256, Policy string }
		require.NoError(t, json.Unmarshal(rec.Value, &p))
		require.Equal(t, string(rec.Key), p.Version)
		require.Contains(t, p.Policy, p.Version)
		published[p.Version]++
	}
	require.Equal(t, map[string]int{"2026-11-01": 1, "2026-11-02": 1}, published)
	sealed := h.records(analytics)
	require.Len(t, sealed, 2)
	for _, rec := range sealed {
		want := map[string]string{"evt_1": "2026-11-01", "evt_2": "2026-11-02"}[header(rec, "event_id")]
		require.Equal(t, want, header(rec, "ebbgate_policy"))
		require.Equal(t, want == "2026-11-01", strings.Contains(string(rec.Value), "/pricing"))
	}
}
