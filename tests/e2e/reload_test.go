package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/books"
)

// A running stream takes a new policy as a whole or not at all. Every record says which version judged it, and holds what
// that version allows.
func TestPolicyIsReplacedWithoutARestart(t *testing.T) {
	const (
		file, rule        = "pipelines/policy.yaml", "      properties.path: keep\n"
		first, second     = `version: "2026-11-01"`, `version: "2026-11-02"`
		third, incomplete = `version: "2026-11-03"`, "      properties.nobody: keep\n"
	)
	stage := books.Stage{Topic: validated, Group: "ebbgate-govern"}
	h := newHouse(t)
	h.rewrite("pipelines/streams/govern.yaml", func(text string) string {
		text = strings.Replace(text, "stage: govern\n", "stage: govern\n        reload_period: 50ms\n", 1)
		return strings.Replace(text, "redact: {}", "redact: { reload_period: 50ms }", 1)
	})
	govern := h.start("streams", "-o", "pipelines/service.yaml", "pipelines/streams/govern.yaml")
	published := 0
	flow := func() {
		t.Helper()
		for range 20 {
			h.publish(validated, view(fmt.Sprintf("evt_%d", published), fmt.Sprintf("u_%d", published%7)))
			published++
		}
	}
	flow()
	h.drained(stage)

	whole := h.read(file)
	h.write(file, whole[:len(whole)/2])
	govern.says("2026-11-01 stays in force")
	flow()
	h.write(file, strings.NewReplacer(first, second, rule, "").Replace(whole))
	flow() // some of these are judged by the one, some by the other
	govern.says("policy 2026-11-02 is in force in place of 2026-11-01")
	flow()
	h.drained(stage)

	h.write(file, strings.NewReplacer(first, second).Replace(whole))
	govern.says("2026-11-02 stays in force", "give it a new version")
	h.write(file, strings.NewReplacer(first, third, rule, incomplete).Replace(whole))
	govern.says("2026-11-02 stays in force", "properties.nobody")
	flow()
	h.drained(stage)
	h.write(file, strings.NewReplacer(first, third).Replace(whole))
	govern.says("policy 2026-11-03 is in force in place of 2026-11-02")
	flow()
	h.drained(stage)

	versions := map[string]int{}
	for _, rec := range h.records(analytics) {
		version := header(rec, "ebbgate_policy")
		require.Equal(t, version != "2026-11-02", strings.Contains(string(rec.Value), "/pricing"), "a record holds what version %s allows", version)
		versions[version]++
	}
	require.GreaterOrEqual(t, versions["2026-11-01"], 20)
	require.GreaterOrEqual(t, versions["2026-11-02"], 40)
	require.Equal(t, 20, versions["2026-11-03"])
	require.Equal(t, published, versions["2026-11-01"]+versions["2026-11-02"]+versions["2026-11-03"])
	for _, rec := range h.records("privacy.policies") {
		var p struct{ Version string }
		require.NoError(t, json.Unmarshal(rec.Value, &p))
		delete(versions, p.Version)
	}
	require.Empty(t, versions, "every version that judged is published")
}
