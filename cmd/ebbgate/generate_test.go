package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
)

func runGenerate(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, progress bytes.Buffer
	app := &cli.App{
		Name: "ebbgate", Commands: []*cli.Command{generateCommand()}, Writer: &out, ErrWriter: &progress,
		ExitErrHandler: func(*cli.Context, error) {},
	}
	err = app.RunContext(t.Context(), append([]string{"ebbgate", "generate"}, args...))
	return out.String(), progress.String(), err
}

func TestGenerateWritesEventsLedgerAndCanaries(t *testing.T) {
	ledger, canaries := filepath.Join(t.TempDir(), "ledger.ndjson"), filepath.Join(t.TempDir(), "canaries.json")
	args := []string{
		"--count", "50", "--bad-share", "0.2", "--canaries", "10", "--start", "2026-11-01T00:00:00Z", "--ledger", ledger, "--canary-list", canaries,
	}
	out, progress, err := runGenerate(t, args...)
	require.NoError(t, err)
	again, _, err := runGenerate(t, args...)
	require.NoError(t, err)
	assert.Equal(t, out, again, "the same seed and start give the same bytes")
	assert.Equal(t, 50, bytes.Count([]byte(out), []byte("\n")))
	assert.Contains(t, progress, "50 events (")
	text, err := os.ReadFile(ledger)
	require.NoError(t, err)
	assert.Equal(t, 50, bytes.Count(text, []byte("\n")))
	text, err = os.ReadFile(canaries)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"field": "context.ip"`)
}

func TestGenerateRefusesNonsense(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"share above one": {[]string{"--bad-share", "2"}, "--bad-share is 2: give a share between 0 and 1"},
		"negative rate":   {[]string{"--rate", "-1"}, "cannot be negative"},
		"nobody":          {[]string{"--users", "0"}, "it takes one user"},
		"unknown output":  {[]string{"--output", "kafka"}, `--output is "kafka": use ndjson or topic`},
		"bad ledger":      {[]string{"--ledger", "/no/such/folder/l"}, "opening the ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := runGenerate(t, c.args...)
			require.ErrorContains(t, err, c.want)
			assert.Empty(t, out)
		})
	}
}
