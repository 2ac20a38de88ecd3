package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
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
	env, err := all.Environment(false)
	require.NoError(t, err)
	var out bytes.Buffer
	app := &cli.App{Name: "ebbgate", Writer: &out, ErrWriter: &out, Commands: []*cli.Command{lintCommand(env)}, ExitErrHandler: func(*cli.Context, error) {}}
	err = app.Run(append([]string{"ebbgate", "lint"}, args...))
	return out.String(), exitCode(err)
}

// edited is a copy of the shipped workspace with one more file.
func edited(t *testing.T, name, text string) string {
	t.Helper()
	atRoot(t)
	dir := filepath.Join(t.TempDir(), "pipelines")
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

func TestLintOfNoWorkspace(t *testing.T) {
	for _, args := range [][]string{{t.TempDir()}, {shipped, "more"}} {
		_, code := runLint(t, args...)
		assert.Equal(t, 1, code, "%q", args)
	}
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
