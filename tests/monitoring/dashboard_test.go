package monitoring

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const dashboard = "pipelines/monitoring/grafana/dashboards/ebbgate.json"

// target is a question a panel asks, and how it shows an answer.
type target struct{ Expr, LegendFormat string }

// panels are those of the dashboard, by title.
func panels(t *testing.T) map[string][]target {
	t.Helper()
	text, err := os.ReadFile(dashboard)
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			Title   string
			Targets []target
		}
	}
	require.NoError(t, json.Unmarshal(text, &board))
	found := map[string][]target{}
	for _, panel := range board.Panels {
		require.NotEmpty(t, panel.Targets, panel.Title)
		found[panel.Title] = panel.Targets
	}
	require.Greater(t, len(found), 20)
	return found
}

var metricName = regexp.MustCompile(`\bebbgate[_:][a-z0-9_:]+`)

// listed are the metrics of docs/operations.md, which a test of its own compares with the source.
func listed(t *testing.T) (names []string) {
	t.Helper()
	page, err := os.ReadFile("docs/operations.md")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?m)^\\| `(ebbgate_[a-z0-9_]+)").FindAllStringSubmatch(string(page), -1) {
		names = append(names, m[1])
	}
	rules, err := os.ReadFile("pipelines/monitoring/rules.yaml")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`(?m)- record: (\S+)`).FindAllStringSubmatch(string(rules), -1) {
		names = append(names, m[1])
	}
	return names
}

// What a dashboard or a rule asks for exists, and Prometheus can read the question.
func TestQueriesAskForWhatExists(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	known := listed(t)
	rules, err := os.ReadFile("pipelines/monitoring/rules.yaml")
	require.NoError(t, err)
	texts := []string{}
	for line := range strings.Lines(string(rules)) {
		if !strings.Contains(line, "action:") {
			texts = append(texts, line)
		}
	}
	var file strings.Builder
	file.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for panel, list := range panels(t) {
		for _, target := range list {
			texts = append(texts, target.Expr)
			quoted, err := json.Marshal(target.Expr)
			require.NoError(t, err)
			name, err := json.Marshal(panel)
			require.NoError(t, err)
			file.WriteString("  - { record: panel, labels: { panel: " + string(name) + " }, expr: " + string(quoted) + " }\n")
		}
	}
	for _, text := range texts {
		for _, name := range metricName.FindAllString(text, -1) {
			require.True(t, slices.Contains(known, name) || slices.Contains(known, strings.TrimSuffix(name, "_bucket")), "%s asks for %s", text, name)
		}
	}
	path := filepath.Join(t.TempDir(), "dashboard.yaml")
	require.NoError(t, os.WriteFile(path, []byte(file.String()), 0o600))
	promtool(t, "check", "rules", "--lint=none", path)
}
