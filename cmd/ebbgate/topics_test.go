package main

import (
	"bytes"
	"encoding/json"
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
	err := app.Run(append([]string{"ebbgate", "topics", "apply"}, args...))
	return out.String(), err
}

func TestTopicsApplyTellsWhatItChangedAndNothingTwice(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("SCRAM-SHA-256", "admin", "secret"))
	require.NoError(t, err)
	defer cluster.Close()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "topics.yaml"), []byte(
		"topics:\n  events.raw: {role: raw, partitions: 2, retention: 7d, cleanup: delete, read: [\"User:v\"]}\n"), 0o600))
	t.Setenv("EBBGATE_SASL_PASSWORD", "secret")
	login := []string{"--workspace", dir, "--brokers", cluster.ListenAddrs()[0], "--sasl-mechanism", "SCRAM-SHA-256", "--user", "admin", "--acls"}

	out, err := runTopics(t, append(login, "--output", "json")...)
	require.NoError(t, err)
	var changes []kafka.Change
	require.NoError(t, json.Unmarshal([]byte(out), &changes))
	assert.Len(t, changes, 4, "a topic, and READ, DESCRIBE and the groups for its reader")

	out, err = runTopics(t, login...)
	require.NoError(t, err)
	assert.Equal(t, "Nothing to change.\n", out)

	_, err = runTopics(t, "--workspace", t.TempDir())
	require.ErrorContains(t, err, "topics.yaml")
	_, err = runTopics(t, "--workspace", dir, "--sasl-mechanism", "PLAIN", "--user", "")
	require.ErrorContains(t, err, "username and password")
}
