package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/staging"
)

func stagingRun(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	app := &cli.App{Writer: &out, ErrWriter: &out, Commands: []*cli.Command{stagingCommand()}, ExitErrHandler: func(*cli.Context, error) {}}
	err := app.RunContext(t.Context(), append([]string{"ebbgate", "staging"}, args...))
	return out.String(), err
}

// stagingWorkspace is the shipped one with a change to staging.yaml.
func stagingWorkspace(t *testing.T, old, changed string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("../../pipelines")))
	path := filepath.Join(dir, staging.File)
	src, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(src), old)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(src), old, changed, 1)), 0o600))
	return dir
}

func TestStagingPlanAndApply(t *testing.T) {
	dsn := plugtest.Postgres(t)
	target := []string{"--dsn", dsn, "--workspace", "../../pipelines"}
	text, err := stagingRun(t, append([]string{"plan"}, target...)...)
	require.NoError(t, err)
	assert.Contains(t, text, `CREATE TABLE "stitch_stage"."customer_profiles"`)
	text, err = stagingRun(t, append([]string{"apply"}, target...)...)
	require.NoError(t, err)
	assert.Contains(t, text, "done: create trigger stamp on stitch_stage.privacy_deletions")
	text, err = stagingRun(t, append([]string{"plan"}, target...)...)
	require.NoError(t, err)
	assert.Contains(t, text, "nothing to do")

	text, err = stagingRun(t, append([]string{"status"}, target...)...)
	require.NoError(t, err)
	assert.Regexp(t, `customer_profiles +0 +0 +0 +none`, text)

	less := stagingWorkspace(t, "      form_id: { path: properties.form_id, type: text }\n", "")
	text, err = stagingRun(t, "apply", "--dsn", dsn, "--workspace", less)
	require.ErrorContains(t, err, "column form_id is no longer declared", "%s", text)
	text, err = stagingRun(t, "apply", "--dsn", dsn, "--workspace", less, "--drop", "--output", "json")
	require.NoError(t, err)
	var plan staging.Plan
	require.NoError(t, json.Unmarshal([]byte(text), &plan))
	require.True(t, plan.Changes[0].Destroy || plan.Changes[1].Destroy)
}

func TestStagingPlanSaysWhatIsRefused(t *testing.T) {
	for changed, want := range map[string]string{
		"seats: { path: subject.anonymous_id, type: text }": "is of raw sessions, which are never synced",
		"seats: { path: properties.email, type: text }":     "the policy lets no properties.email go to warehouse",
	} {
		_, err := stagingRun(t, "plan", "--dsn", "postgres://127.0.0.1:1/x", "--workspace", stagingWorkspace(t, "seats: { path: properties.seats, type: bigint }", changed))
		require.ErrorContains(t, err, want)
	}
}

func TestStagingErrorsHoldNoPassword(t *testing.T) {
	for _, dsn := range []string{"postgres://a:hunter2@127.0.0.1:1/x", "postgres://a:hunter2@[::1/x"} {
		_, err := stagingRun(t, "plan", "--dsn", dsn, "--workspace", "../../pipelines")
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestStagingGuideNamesEveryTableAndKey(t *testing.T) {
	text, err := stagingRun(t, "guide", "--dsn", "postgres://admin:hunter2@db.example.com:5433/marketing_stage", "--workspace", "../../pipelines")
	require.NoError(t, err)
	for _, want := range []string{"Host                 db.example.com", "Port                 5433", "Username             stitch_reader", "subscription_facts     Key-based Incremental, replication key row_seq, primary key fact_id", "privacy_deletions "} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "hunter2")
}
