package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const explaining = "## Why did this field go there?"

var (
	frame     = regexp.MustCompile(`[│┌┐└┘├┤┬┴┼─]`)
	timestamp = regexp.MustCompile(`"timestamp":"[^"]*"`)
)

// What the guide says of its own event is what the program says, line by line, in the workspace as the guide has it by then.
func TestTheGuideExplainsItsOwnEvent(t *testing.T) {
	const page = "docs/guide.md"
	program := build(t)
	w := newPageWorkspace(t, program)
	before, _, ok := strings.Cut(read(t, page), "\n"+explaining+"\n")
	require.True(t, ok, "%s has no part %q", page, explaining)
	heading := strings.Count(before, "\n")
	var event, said string
	for _, b := range blocks(t, page) {
		switch {
		case b.line < heading && b.lang == "yaml" && !b.is("refused") && (b.is("contract") || b.is("policy")):
			w.yaml(t, b)
		case b.line < heading && b.lang == "json" && strings.HasPrefix(b.text, `{"event_name":"report_exported"`):
			event = b.text
		case b.line > heading && b.lang == "text" && said == "":
			said = b.text
		}
	}
	require.NotEmpty(t, event)
	file := filepath.Join(t.TempDir(), "event.json")
	event = timestamp.ReplaceAllString(event, `"timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"`)
	require.NoError(t, os.WriteFile(file, []byte(event), 0o600))
	cmd := exec.CommandContext(t.Context(), program, "policy", "explain", file)
	cmd.Dir = w.dir
	out, err := cmd.Output()
	require.NoError(t, err)
	var printed []string
	for line := range strings.Lines(string(out)) {
		printed = append(printed, plain(frame.ReplaceAllString(line, " ")))
	}
	for line := range strings.Lines(said) {
		if want := plain(line); want != "" {
			assert.Contains(t, printed, want)
		}
	}
}
