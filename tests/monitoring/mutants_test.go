package monitoring

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mutable is what a slip of the pen could change in a rule: a metric, a border, how long it lasts, what is compared.
var mutable = []struct {
	part *regexp.Regexp
	slip func(string) string
}{
	{regexp.MustCompile(`\bebbgate_[a-z_]+`), func(string) string { return "ebbgate_gone" }},
	{regexp.MustCompile(`[<>] (?:0\.\d+|900|20)\b|0\.25\b`), func(s string) string { return strings.NewReplacer("0.", "1.", "900", "9000", "20", "200").Replace(s) }},
	{regexp.MustCompile(` > 0(?:\.\d+|\b)| > 900| > 20`), func(s string) string { return strings.Replace(s, ">", "<", 1) }},
	{regexp.MustCompile(`\bfor: \d+m`), func(string) string { return "for: 60m" }},
	{regexp.MustCompile(`(?:stage|consent)="\w+"`), func(string) string { return `stage="none"` }},
}

// coarse evaluates rules half as often: it takes half the time.
var coarse = strings.NewReplacer("interval: 30s", "interval: 1m")

var verdict = regexp.MustCompile(`Unit Testing: +(\S+)\n +(SUCCESS|FAILED)`)

// The tests of the rules notice each such slip.
func TestRulesTestsNoticeSlips(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	text, err := os.ReadFile("pipelines/monitoring/rules.yaml")
	require.NoError(t, err)
	tests, err := os.ReadFile("pipelines/monitoring/rules_test.promtool")
	require.NoError(t, err)
	rules, files, slips := coarse.Replace(string(text)), []string{"test", "rules"}, map[string]string{}
	for _, m := range mutable {
		for _, at := range m.part.FindAllStringIndex(rules, -1) {
			line := rules[strings.LastIndexByte(rules[:at[0]], '\n')+1 : at[1]]
			if strings.Contains(line, "#") || strings.Contains(line, "action:") {
				continue
			}
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte(rules[:at[0]]+m.slip(rules[at[0]:at[1]])+rules[at[1]:]), 0o600))
			file := filepath.Join(dir, "test")
			require.NoError(t, os.WriteFile(file, []byte(coarse.Replace(string(tests))), 0o600))
			files, slips[file] = append(files, file), fmt.Sprintf("%q changed in line %d", rules[at[0]:at[1]], 1+strings.Count(rules[:at[0]], "\n"))
		}
	}
	out, err := exec.CommandContext(t.Context(), tool(t, "promtool"), files...).CombinedOutput()
	require.Error(t, err)
	require.NotContains(t, string(out), "could not parse", "a slip is still a rule")
	verdicts := verdict.FindAllStringSubmatch(string(out), -1)
	require.Len(t, verdicts, len(slips))
	for _, v := range verdicts {
		assert.Equal(t, "FAILED", v[2], "nobody notices %s", slips[v[1]])
	}
	require.Greater(t, len(slips), 25)
}
