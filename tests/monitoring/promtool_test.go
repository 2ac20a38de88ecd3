package monitoring

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/plugtest"
)

// tool is promtool or prometheus: of the cache that `make fetch` fills, or of the machine.
func tool(t *testing.T, name string) string {
	t.Helper()
	cache := os.Getenv("XDG_CACHE_HOME")
	if home, err := os.UserHomeDir(); err == nil && cache == "" {
		cache = filepath.Join(home, ".cache")
	}
	cached := filepath.Join(cache, "ebbgate", "tools", name)
	if _, err := os.Stat(cached); err == nil {
		return cached
	}
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv(plugtest.EnvRequireEngine) == "1":
		t.Fatalf("%s is not there: run 'make fetch', or install the package prometheus", name)
	default:
		t.Skipf("SKIPPED: %s is not there, so no alert was tested: run 'make fetch', or install the package prometheus", name)
	}
	return ""
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), tool(t, "promtool"), args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// scrapes are what Prometheus would have taken, a minute apart, the last of them again and again: what happens between two of
// them is real, the minutes are not.
type scrapes struct {
	values map[string][]string // by series
	taken  int
}

const (
	noSample = "_"
	held     = 30 // minutes that the last scrape is repeated
)

// scrape takes one of every stream.
func (h *house) scrape(s *scrapes) {
	h.t.Helper()
	if s.values == nil {
		s.values = map[string][]string{}
	}
	now := time.Now()
	for stream, exporter := range h.exporters {
		for line := range strings.Lines(exporter.scrape()) {
			if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "go_") || strings.HasPrefix(line, "promhttp_") {
				continue
			}
			s.take(stream, strings.TrimSpace(line), now)
		}
	}
	s.taken++
	for name, values := range s.values {
		s.values[name] = padded(values, s.taken)
	}
}

func padded(values []string, to int) []string {
	for len(values) < to {
		values = append(values, noSample)
	}
	return values
}

// take adds the labels a job in streams mode has, and moves times to the clock of the test, whose first minute is 0.
func (s *scrapes) take(stream, line string, now time.Time) {
	at := strings.LastIndexByte(line, ' ')
	name, value := line[:at], line[at+1:]
	labels := fmt.Sprintf(`job="ebbgate",instance="test",stream=%q`, stream)
	if i := strings.IndexByte(name, '{'); i >= 0 {
		name = name[:i] + "{" + labels + "," + name[i+1:]
	} else {
		name += "{" + labels + "}"
	}
	if n, err := strconv.ParseFloat(value, 64); err == nil {
		if metric, _, _ := strings.Cut(name, "{"); n != 0 && (strings.HasSuffix(metric, "_timestamp_seconds") || metric == "process_start_time_seconds") {
			n += float64(60*s.taken) - float64(now.UnixMilli())/1000
		}
		value = strconv.FormatFloat(n, 'f', -1, 64)
	}
	s.values[name] = append(padded(s.values[name], s.taken), value)
}

// test is a file for promtool: the series, and what it must find in the last minutes.
func (s *scrapes) test(t *testing.T, rules []string, queries string) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "rule_files: [ %s ]\nevaluation_interval: 30s\ntests:\n- interval: 1m\n  input_series:\n", strings.Join(rules, ", "))
	fmt.Fprintf(&b, "  - { series: 'up{job=\"ebbgate\",instance=\"test\"}', values: '1x%d' }\n", s.taken+held)
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		values := slices.Clone(s.values[name])
		last := values[len(values)-1]
		fmt.Fprintf(&b, "  - { series: '%s', values: '%s %sx%d' }\n", strings.ReplaceAll(name, "'", "''"), strings.Join(values, " "), last, held)
	}
	b.WriteString("  promql_expr_test:\n" + queries)
	file := filepath.Join(t.TempDir(), "test.yaml")
	require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	if keep := os.Getenv("EBBGATE_KEEP_PROMTOOL"); keep != "" {
		require.NoError(t, os.WriteFile(keep, []byte(b.String()), 0o600))
	}
	promtool(t, "test", "rules", file)
}

// fires asks which alerts fire, at a minute after the last scrape; no other may.
func (s *scrapes) fires(t *testing.T, after int, alerts ...string) {
	t.Helper()
	var samples []string
	for _, alert := range alerts {
		samples = append(samples, fmt.Sprintf(`{ labels: '{alertname="%s"}', value: 1 }`, alert))
	}
	s.test(t, []string{rulesFile(t)}, fmt.Sprintf("  - { expr: 'group by (alertname) (ALERTS{alertstate=\"firing\"})', eval_time: %dm, exp_samples: [ %s ] }\n",
		s.taken-1+after, strings.Join(samples, ", ")))
}

func rulesFile(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs("pipelines/monitoring/rules.yaml")
	require.NoError(t, err)
	return file
}
