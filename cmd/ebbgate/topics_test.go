package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/kafka"
)

func runTopics(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	app := &cli.App{Name: "ebbgate", Writer: &out, ErrWriter: &out, Commands: []*cli.Command{topicsCommand()}, ExitErrHandler: func(*cli.Context, error) {}}
	err := app.Run(append([]string{"ebbgate", "topics"}, args...))
	return out.String(), err
}

func exitCode(err error) int {
	var coded cli.ExitCoder
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return 0
}

func TestTopicsPlanAndApply(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("SCRAM-SHA-256", "admin", "secret"))
	require.NoError(t, err)
	defer cluster.Close()
	dir := t.TempDir()
	declare := func(partitions string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "topics.yaml"), []byte(
			"topics:\n  events.raw: {role: raw, partitions: "+partitions+", retention: 7d, cleanup: delete, read: [\"User:v\"]}\n"), 0o600))
	}
	declare("2")
	t.Setenv("EBBGATE_SASL_PASSWORD", "secret")
	run := func(command string, more ...string) (string, error) {
		return runTopics(t, append([]string{command, "--workspace", dir, "--brokers", cluster.ListenAddrs()[0], "--sasl-mechanism", "SCRAM-SHA-256", "--user", "admin", "--acls"}, more...)...)
	}

	var plan kafka.Plan
	for range 2 {
		out, err := run("plan", "--output", "json")
		require.Equal(t, 2, exitCode(err), "there is something to do, and plan does not do it")
		require.NoError(t, json.Unmarshal([]byte(out), &plan))
		assert.Len(t, plan.Changes, 5, "a topic, and READ, DESCRIBE, DESCRIBE_CONFIGS and the groups for its reader")
	}
	out, err := run("apply")
	require.NoError(t, err)
	assert.Contains(t, out, "5 changes made")
	out, err = run("plan")
	require.NoError(t, err)
	assert.Equal(t, "Nothing to change.\n", out)
	out, err = run("apply")
	require.NoError(t, err)
	assert.Equal(t, "Nothing to change.\n0 changes made\n", out)

	declare("1")
	for _, command := range []string{"plan", "apply"} {
		out, err = run(command)
		require.Equal(t, 1, exitCode(err), command)
		require.ErrorContains(t, err, "no broker takes partitions away")
		assert.Contains(t, out, "events.raw")
	}
}

func TestTopicsSayWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	_, err := runTopics(t, "apply", "--workspace", dir)
	require.ErrorContains(t, err, "topics.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "topics.yaml"), []byte("topics: {}\n"), 0o600))
	_, err = runTopics(t, "plan", "--workspace", dir, "--sasl-mechanism", "PLAIN", "--user", "")
	require.Equal(t, 1, exitCode(err))
}
