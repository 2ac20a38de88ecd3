package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/workspace"
	"github.com/ebbgate/ebbgate/plugins/all"
)

const shipped = "pipelines"

// atRoot works where people do: mappings are read from files below.
func atRoot(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(shipped); err != nil {
		t.Chdir("../..")
	}
}

func runLint(t *testing.T, args ...string) (string, int) {
	t.Helper()
	atRoot(t)
	return lintHere(t, args...)
}

func lintHere(t *testing.T, args ...string) (string, int) {
	t.Helper()
	env, err := all.Environment(false)
	require.NoError(t, err)
	var out bytes.Buffer
	app := &cli.App{Name: "ebbgate", Writer: &out, ErrWriter: &out, Commands: []*cli.Command{lintCommand(env)}, ExitErrHandler: func(*cli.Context, error) {}}
	err = app.Run(append([]string{"ebbgate", "lint"}, args...))
	if err != nil {
		out.WriteString(err.Error())
	}
	return out.String(), exitCode(err)
}

// edited is a copy of the shipped workspace with one more file.
func edited(t *testing.T, name, text string) string {
	t.Helper()
	atRoot(t)
	root := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(root, "bloblang", "lib"), os.DirFS(filepath.Join(shipped, "..", "bloblang", "lib"))))
	dir := filepath.Join(root, "pipelines")
	require.NoError(t, os.CopyFS(dir, os.DirFS(shipped)))
	if name != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestLintPassesTheShippedWorkspaceAndStrictDoesNot(t *testing.T) {
	out, code := runLint(t, shipped)
	require.Zero(t, code, out)
	assert.Contains(t, out, "pipelines/policy.yaml:")
	assert.Contains(t, out, "0 errors, ")
	_, code = runLint(t, "--strict", shipped)
	assert.Equal(t, 1, code)
}

// The engine's lint and the workspace's checks are one report.
func TestLintReportsEngineAndWorkspaceTogether(t *testing.T) {
	dir := edited(t, "streams/mine.yaml", `input:
  redpanda:
    seed_brokers: [ "127.0.0.1:9092" ]
    topics: [ events.row ]
    consumer_group: ebbgate-mine
pipeline:
  processors:
    - consent: {}
    - redat: {}
output:
  stdout: {}
`)
	out, code := runLint(t, "--output", "json", dir)
	require.Equal(t, 1, code)
	var findings []workspace.Finding
	require.NoError(t, json.Unmarshal([]byte(out), &findings))
	said := map[int]workspace.Finding{}
	for _, f := range findings {
		if f.Severity == workspace.Error {
			require.Equal(t, filepath.Join(dir, "streams/mine.yaml"), f.File)
			said[f.Line] = f
		}
	}
	require.Len(t, said, 4)
	assert.Equal(t, "stream.topic", said[4].Rule)
	assert.Contains(t, said[8].What, "seed_brokers is needed")
	assert.Equal(t, "engine", said[9].Rule)
	assert.Equal(t, "component.refused", said[11].Rule)
	assert.Contains(t, said[11].Remedy, "redpanda output")

	out, code = runLint(t, edited(t, "streams/mine.yaml", "input: [ \n"))
	require.Equal(t, 1, code)
	assert.Contains(t, out, "streams/mine.yaml: error: ")
}

func TestLintOfNoWorkspaceSaysWhatToName(t *testing.T) {
	dir := edited(t, "", "")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{t.TempDir()}, "it is no workspace, it has no policy.yaml: name the folder of one, or files, or make one with `ebbgate init`"},
		{[]string{filepath.Join(dir, "streams")}, "it is a part of a workspace: name the whole, " + dir + ", or files, " + filepath.Join(dir, "streams", "*.yaml")},
		{[]string{dir, "more"}, "a workspace is checked as a whole, name nothing beside it"},
	} {
		out, code := runLint(t, test.args...)
		assert.Equal(t, exitNoWorkspace, code, "%q", test.args)
		assert.Contains(t, out, test.want)
	}
}

// A workspace is the same from wherever it is looked at, the mappings it imports included.
func TestLintFindsTheWorkspaceFromWhereItIsRun(t *testing.T) {
	dir := edited(t, "", "")
	root := filepath.Dir(dir)
	for _, test := range []struct{ from, name, shows string }{
		{root, "", "pipelines/policy.yaml:"},
		{root, "pipelines", "pipelines/policy.yaml:"},
		{dir, "", "policy.yaml:"},
		{t.TempDir(), root, filepath.Join(dir, "policy.yaml:")},
		{t.TempDir(), dir + "/...", filepath.Join(dir, "policy.yaml:")},
	} {
		t.Chdir(test.from)
		out, code := lintHere(t, slices.DeleteFunc([]string{test.name}, func(arg string) bool { return arg == "" })...)
		assert.Zero(t, code, "%+v: %s", test, out)
		assert.Contains(t, "\n"+out, "\n"+test.shows, "%+v", test)
	}
	require.NoError(t, os.Remove(filepath.Join(root, "bloblang/lib/github.blobl")))
	out, code := lintHere(t, dir)
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "failed to read import")
}

// What is no workspace is for the engine's lint, with its flags and exit codes.
func TestWhichLintRuns(t *testing.T) {
	atRoot(t)
	file := filepath.Join(shipped, "streams/govern.yaml")
	for _, test := range []struct {
		args, want []string
		ours       bool
	}{
		{[]string{"ebbgate", "lint"}, nil, true},
		{[]string{"ebbgate", "lint", "--help"}, nil, true},
		{[]string{"ebbgate", "lint", "--strict", shipped}, nil, true},
		{[]string{"ebbgate", "lint", shipped, "--output", "json"}, []string{"ebbgate", "lint", "--output", "json", shipped}, true},
		{[]string{"ebbgate", "lint", shipped + "/...", "--strict"}, []string{"ebbgate", "lint", "--strict", shipped + "/..."}, true},
		{[]string{"ebbgate", "lint", "docs", "--strict"}, []string{"ebbgate", "lint", "--strict", "docs"}, true},
		{[]string{"ebbgate", "lint", "./..."}, nil, true},
		{[]string{"ebbgate", "lint", file}, nil, false},
		{[]string{"ebbgate", "lint", "--verbose", filepath.Join(shipped, "streams") + "/..."}, nil, false},
		{[]string{"ebbgate", "run", shipped}, nil, false},
	} {
		got, ours := lintsWorkspace(test.args)
		assert.Equal(t, test.ours, ours, "%q", test.args)
		if test.want == nil {
			test.want = test.args
		}
		assert.Equal(t, test.want, got)
	}
}
