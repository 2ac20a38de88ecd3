package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	metricRow  = regexp.MustCompile("(?m)^\\| (`ebbgate_[^|]+) \\| (.+) \\|$")
	metricName = regexp.MustCompile("`(ebbgate_[a-z0-9_]+)")
)

// What Prometheus tells of a metric is what docs/operations.md says of it. Run with -update after an intended change.
func TestHelpIsTheOperatorsTable(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	require.NoError(t, err)
	_, part, _ := strings.Cut(string(page), "\n## Metrics\n")
	part, _, _ = strings.Cut(part, "\n## ")
	var table strings.Builder
	for _, row := range metricRow.FindAllStringSubmatch(part, -1) {
		text := strings.ReplaceAll(row[2], "`", "")
		for _, name := range metricName.FindAllStringSubmatch(row[1], -1) {
			table.WriteString(name[1] + "\t" + strings.ToUpper(text[:1]) + text[1:] + ".\n")
		}
	}
	file := filepath.Join(root, "plugins", "metrics", "help.tsv")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(table.String()), 0o644))
	}
	have, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, table.String(), string(have), "run: go test ./tests/conformance -update")
}
