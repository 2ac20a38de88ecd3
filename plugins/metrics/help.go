package metrics

import (
	_ "embed"
	"strings"
)

// The table of metrics in docs/operations.md, made a file by: go test ./tests/conformance -update
//
//go:embed help.tsv
var helpTable string

// helps is what Prometheus tells of each of our metrics.
var helps = func() map[string]string {
	texts := map[string]string{}
	for line := range strings.Lines(helpTable) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), "\t")
		texts[name] = text
	}
	return texts
}()

// help is never empty: Prometheus' conventions ask for one.
func help(name string) string {
	if text, known := helps[name]; known {
		return text
	}
	return "Counted by the engine."
}
