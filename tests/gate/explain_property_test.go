package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/explain"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// rewritten are rules that may take the place of another; those that do not fit the field or leak it are refused and put back.
var rewritten = []string{"keep", "drop", "{ keep: true, requires: marketing }", "{ keep: true, requires: analytics }", "tokenize", "scrub", "{ bucket: [10, 1000] }", "{ truncate_time: day }"}

// Whatever the policy says, as long as it compiles, an explanation of an event by it is what the gate makes of the event by it.
func TestAnExplanationIsWhatTheGateDoesByAnyPolicy(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	t.Setenv(state.EnvironmentStatic, "1")
	dir := filepath.Join(t.TempDir(), "pipelines")
	require.NoError(t, os.CopyFS(dir, os.DirFS("pipelines")))
	shipped, err := os.ReadFile(filepath.Join(dir, workspace.PolicyFile))
	require.NoError(t, err)
	seen, changes := map[string]int{}, 0
	rapid.Check(t, func(t *rapid.T) {
		ws, changed := drawPolicy(t, dir, string(shipped))
		changes += changed
		explainer, err := explain.New(ws)
		require.NoError(t, err)
		events, users := sample(rapid.Uint64().Draw(t, "seed"), 40)
		compare(t, dir, explainer, drawStates(t, users), events, users, seen)
	})
	require.Positive(t, changes)
	for _, what := range []string{explain.Allowed, explain.Denied, explain.Quarantined, explain.Keep, explain.Transform, explain.Drop, explain.NotListed, explain.NotRequired} {
		require.Positive(t, seen[what], "%s was never explained: %v", what, seen)
	}
}

// drawPolicy rewrites the shipped policy in place, line by line, and counts the lines that it could rewrite.
func drawPolicy(t *rapid.T, dir, shipped string) (ws *workspace.Workspace, changed int) {
	lines := strings.Split(shipped, "\n")
	write := func() (*workspace.Workspace, error) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, workspace.PolicyFile), []byte(strings.Join(lines, "\n")), 0o600))
		return workspace.LoadRules(dir, "")
	}
	var open []int
	for i, line := range lines {
		if strings.HasPrefix(line, "      properties.") || strings.HasPrefix(line, "    purpose: ") {
			open = append(open, i)
		}
	}
	for _, i := range rapid.SliceOfNDistinct(rapid.SampledFrom(open), 1, 12, rapid.ID[int]).Draw(t, "lines") {
		before := lines[i]
		name, _, _ := strings.Cut(before, ":")
		rules := append(slices.Clone(rewritten), "")
		if strings.HasSuffix(name, "purpose") {
			rules = []string{"analytics", "marketing"}
		}
		lines[i] = fmt.Sprintf("%s: %s", name, rapid.SampledFrom(rules).Draw(t, "rule"))
		if strings.HasSuffix(lines[i], ": ") {
			lines[i] = "" // not listed
		}
		if _, err := write(); err != nil {
			lines[i] = before
			continue
		}
		changed++
	}
	ws, err := write()
	require.NoError(t, err)
	return ws, changed
}

// drawStates gives some of the users a record that withdraws a consent. One that gives it does not overrule what the event claims at
// the gate, but does in an explanation, where a stated purpose takes the place of both.
func drawStates(t *rapid.T, users []string) map[string]map[string]bool {
	states := map[string]map[string]bool{}
	for _, user := range users {
		if user != "" && states[user] == nil && rapid.Bool().Draw(t, "recorded") {
			states[user] = map[string]bool{rapid.SampledFrom([]string{"analytics", "marketing"}).Draw(t, "purpose"): false}
		}
	}
	return states
}
