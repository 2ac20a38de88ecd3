package docs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/workspace"
	"github.com/ebbgate/ebbgate/plugins/all"
)

// pageWorkspace is the copy of the shipped workspace that a page changes step by step, as its reader would.
type pageWorkspace struct {
	dir     string // holds pipelines/ and bloblang/
	program string
	linter  *service.StreamConfigLinter
	said    string // what the last refused block was answered, until a block of text repeats it
}

func newPageWorkspace(t *testing.T, program string) *pageWorkspace {
	t.Helper()
	env, err := all.Environment(false)
	require.NoError(t, err)
	w := &pageWorkspace{
		dir: t.TempDir(), program: program,
		linter: env.FullConfigSchema("test", "test").NewStreamConfigLinter().SetEnvVarLookupFunc(setEnvironment),
	}
	for _, folder := range []string{"pipelines", "bloblang/lib"} {
		require.NoError(t, os.CopyFS(filepath.Join(w.dir, folder), os.DirFS(filepath.Join(root, folder))))
	}
	return w
}

func (w *pageWorkspace) path(name string) string { return filepath.Join(w.dir, "pipelines", name) }

func (w *pageWorkspace) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(w.path(name))
	require.NoError(t, err)
	return string(text)
}

func (w *pageWorkspace) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(w.path(name), []byte(text), 0o600))
}

func (w *pageWorkspace) yaml(t *testing.T, b block) {
	t.Helper()
	switch {
	case b.is("contract"):
		name := regexp.MustCompile(`(?m)^event: (\w+)$`).FindStringSubmatch(b.text)
		require.NotNil(t, name, "%s: the contract names no event", b.at())
		w.write(t, "contracts/"+name[1]+".yaml", b.text)
		w.load(t, b)
	case b.is("policy"):
		w.policy(t, b)
	case b.is("topics"):
		w.write(t, "topics.yaml", w.read(t, "topics.yaml")+"\n"+b.text)
		w.load(t, b)
	case b.is("test"):
		w.test(t, b)
	default:
		w.stream(t, b)
	}
}

// setEnvironment stands for the variables a page's streams take their secrets from.
func setEnvironment(context.Context, string) (string, bool) { return "value", true }

func (w *pageWorkspace) load(t *testing.T, b block) {
	t.Helper()
	_, err := workspace.Load(filepath.Join(w.dir, "pipelines"))
	require.NoError(t, err, b.at())
}

// policy adds lines to the fields of a destination. A block that names none is a policy of its own, or an excerpt.
func (w *pageWorkspace) policy(t *testing.T, b block) {
	t.Helper()
	before := w.read(t, "policy.yaml")
	destination := b.attrs["in"]
	if destination == "" {
		ws, err := workspace.Load(filepath.Join(w.dir, "pipelines"))
		require.NoError(t, err)
		_, err = policy.Compile([]byte("version: excerpt\n"+b.text), b.at(), ws.Contracts)
		require.NoError(t, err, b.at())
		return
	}
	after := addFields(t, before, destination, b.text)
	if version := b.attrs["version"]; version != "" {
		after = regexp.MustCompile(`(?m)^version: .*$`).ReplaceAllString(after, `version: "`+version+`"`)
	}
	w.write(t, "policy.yaml", after)
	if !b.is("refused") {
		w.load(t, b)
		return
	}
	_, err := workspace.Load(filepath.Join(w.dir, "pipelines"))
	require.Error(t, err, "%s is said to be refused", b.at())
	w.said = err.Error()
	w.write(t, "policy.yaml", before)
}

// addFields puts lines after the last field of a destination.
func addFields(t *testing.T, src, destination, lines string) string {
	t.Helper()
	all := strings.Split(src, "\n")
	at := slices.Index(all, "  "+destination+":")
	require.Positive(t, at, "the policy has no destination %s", destination)
	for at++; at < len(all) && (all[at] == "" || strings.HasPrefix(all[at], "    ")); {
		at++
	}
	for all[at-1] == "" {
		at--
	}
	return strings.Join(slices.Insert(all, at, strings.TrimRight(lines, "\n")), "\n")
}

func (w *pageWorkspace) stream(t *testing.T, b block) {
	t.Helper()
	lints, err := w.linter.LintYAML([]byte(b.text))
	require.NoError(t, err, b.at())
	if b.is("refused") {
		require.NotEmpty(t, lints, "%s is said to be refused", b.at())
		w.said = lints[0].What
		return
	}
	require.Empty(t, lints, b.at())
	if file := b.attrs["file"]; file != "" {
		w.write(t, strings.TrimPrefix(file, "pipelines/"), b.text)
	}
}

// test runs a unit test with the binary, from the folder that holds pipelines/.
func (w *pageWorkspace) test(t *testing.T, b block) {
	t.Helper()
	file := b.attrs["file"]
	require.True(t, strings.HasPrefix(file, "pipelines/"), "%s: say file=pipelines/streams/NAME_benthos_test.yaml", b.at())
	w.write(t, strings.TrimPrefix(file, "pipelines/"), b.text)
	cmd := exec.CommandContext(t.Context(), w.program, "test", "./"+file)
	cmd.Dir = w.dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", b.at(), out)
	require.Contains(t, string(out), "succeeded", b.at())
}

// text compares what a refused block was answered with what the page says it is.
func (w *pageWorkspace) text(t *testing.T, b block) {
	t.Helper()
	if !b.is("error") {
		return
	}
	require.NotEmpty(t, w.said, "%s: nothing was refused before it", b.at())
	assert.Equal(t, plain(w.said), plain(b.text), b.at())
	w.said = ""
}

var lineNumbers = regexp.MustCompile(`\.yaml:\d+|on line \d+`)

// plain takes out what a reader does not compare: numbers of lines, and where lines are broken.
func plain(text string) string {
	return strings.Join(strings.Fields(lineNumbers.ReplaceAllString(text, "")), " ")
}

// Numbers of lines may differ, and nothing else.
func TestErrorsAreCompared(t *testing.T) {
	assert.Equal(t, plain("policy.yaml:7: a: is wrong: mend it\n"), plain("policy.yaml:9: a: is wrong:\n  mend it"))
	assert.NotEqual(t, plain("policy.yaml:7: a: is wrong: mend it"), plain("policy.yaml:7: b: is wrong: mend it"))
}
