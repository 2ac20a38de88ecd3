package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const operations = "docs/operations.md"

// firstCells lists the code spans of the first column of the table under a heading.
func firstCells(t *testing.T, page, heading string) []string {
	t.Helper()
	_, after, ok := strings.Cut(read(t, page), "\n## "+heading+"\n")
	require.True(t, ok, "%s has no part %q", page, heading)
	part, _, _ := strings.Cut(after, "\n## ")
	var found []string
	for _, m := range regexp.MustCompile("(?m)^\\| ((?:`[^`]+`(?:, )?)+)").FindAllStringSubmatch(part, -1) {
		for _, span := range strings.Split(m[1], ", ") {
			found = append(found, strings.Trim(span, "`"))
		}
	}
	slices.Sort(found)
	return found
}

var metricForm = regexp.MustCompile(`New(?:Counter|Gauge|Timer)\("(ebbgate_\w+)"((?:, "\w+")*)\)`)

// What operators watch has the name and the labels that the code gives it.
func TestEveryMetricIsListed(t *testing.T) {
	var want []string
	for _, m := range metricForm.FindAllStringSubmatch(goFiles(t), -1) {
		name := strings.Replace(m[1], "_ns", "_seconds", 1) // as the exporter has it
		if labels := strings.NewReplacer(`"`, "", " ", "").Replace(strings.TrimPrefix(m[2], ", ")); labels != "" {
			name += "{" + labels + "}"
		}
		want = append(want, name)
	}
	require.Greater(t, len(want), 15)
	slices.Sort(want)
	assert.Equal(t, slices.Compact(want), firstCells(t, operations, "Metrics"))
}

// codeForms are the ways in which the source states a code of a quarantine record.
var codeForms = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^\s*(?:const )?[cC]ode\w*\s*=\s*"([a-z_.0-9]+)"`),
	regexp.MustCompile(`Code:\s*"([a-z_]+\.[a-z_]+)"`),
	regexp.MustCompile(`Misrouted\("([a-z_.]+)"`),
	regexp.MustCompile(`&Error\{"(seal\.[a-z_]+)"`),
}

// codeInStream is how a stream states the code of its quarantine processor.
var codeInStream = regexp.MustCompile(`quarantine: \{ code: ([a-z_.0-9]+) \}`)

func shippedStreams(t *testing.T) (all string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "pipelines", "streams", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all += string(text)
	}
	return all
}

// notQuarantined are codes of the same form that no record is quarantined under, and why.
var notQuarantined = []string{
	"contract.unbound", // a contract that was not bound: only a mistake in our own code
	"seal.unknown_key", // the chunk waits for the key

	// why an entry stays in quarantine: docs/when-things-break.md lists them
	"replay.correction", "replay.gone", "replay.no_payload", "replay.no_raw_topic", "replay.not_strict", "replay.sealed", "replay.undeclared_topic", "replay.wrong_topic",

	// bodies whose events cannot be told apart, or that are too large: the sender is told, there is no event
	"segment.batch_not_array", "segment.batch_too_large", "segment.empty_batch", "segment.pixel_data", "segment.too_many_events",
}

func TestEveryQuarantineCodeIsListed(t *testing.T) {
	source := goFiles(t)
	var want []string
	for _, m := range codeInStream.FindAllStringSubmatch(shippedStreams(t), -1) {
		want = append(want, m[1])
	}
	for _, form := range codeForms {
		for _, m := range form.FindAllStringSubmatch(source, -1) {
			if !strings.HasPrefix(m[1], "mask.") && !slices.Contains(notQuarantined, m[1]) {
				want = append(want, m[1])
			}
		}
	}
	slices.Sort(want)
	require.Greater(t, len(want), 40)
	assert.Equal(t, slices.Compact(want), firstCells(t, operations, "Quarantine codes"))
}
