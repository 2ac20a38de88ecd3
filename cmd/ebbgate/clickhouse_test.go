package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	ddl "github.com/ebbgate/ebbgate/internal/clickhouse/schema"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/policy"
)

// clickhouseRun runs `ebbgate clickhouse` with args and returns what it prints.
func clickhouseRun(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	app := &cli.App{Writer: &out, ErrWriter: &out, Commands: []*cli.Command{clickhouseCommand()}, ExitErrHandler: func(*cli.Context, error) {}}
	err := app.RunContext(t.Context(), append([]string{"ebbgate", "clickhouse"}, args...))
	return out.String(), err
}

func TestClickHousePlanAndApply(t *testing.T) {
	target := []string{"--dsn", plugtest.ClickHouse(t), "--workspace", "../../pipelines"}
	text, err := clickhouseRun(t, append([]string{"plan"}, target...)...)
	require.NoError(t, err)
	assert.Contains(t, text, "+ create migration 001_events")
	assert.Contains(t, text, "+ create view trial_started")
	text, err = clickhouseRun(t, append([]string{"apply"}, target...)...)
	require.NoError(t, err)
	assert.Contains(t, text, "done: create ttl events")
	text, err = clickhouseRun(t, append([]string{"plan"}, target...)...)
	require.NoError(t, err)
	assert.Contains(t, text, "is as the workspace describes it")

	text, err = clickhouseRun(t, append([]string{"apply", "--output", "json"}, target...)...)
	require.NoError(t, err)
	var plan ddl.Plan
	require.NoError(t, json.Unmarshal([]byte(text), &plan))
	assert.Empty(t, plan.Changes)
}

// What cannot be read is missing in ClickHouse, so a scheduler must get to know.
func TestOutcomesThatCannotBeReadHaveAnExitCode(t *testing.T) {
	seeds, _ := plugtest.Broker(t, kfake.SeedTopics(1, "privacy.decisions"))
	client, err := kgo.NewClient(kgo.SeedBrokers(seeds...))
	require.NoError(t, err)
	defer client.Close()
	target := []string{"--dsn", plugtest.ClickHouse(t), "--workspace", "../../pipelines"}
	_, err = clickhouseRun(t, append([]string{"apply"}, target...)...)
	require.NoError(t, err)
	copying := append([]string{"outcomes", "--brokers", strings.Join(seeds, ",")}, target...)
	text, err := clickhouseRun(t, copying...)
	require.NoError(t, err)
	assert.Contains(t, text, "rows written: 0")

	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "privacy.decisions", Value: []byte("ada@example.com")}).FirstErr())
	text, err = clickhouseRun(t, copying...)
	require.ErrorContains(t, err, "records that cannot be read, and so are missing in ClickHouse: 1, such as privacy.decisions/0/0")
	var coded cli.ExitCoder
	require.ErrorAs(t, err, &coded)
	assert.Equal(t, exitUnreadable, coded.ExitCode())
	assert.Contains(t, text, "rows written: 0")
	assert.NotContains(t, err.Error()+text, "ada")
}

func TestClickHouseRefusals(t *testing.T) {
	_, err := clickhouseRun(t, "plan", "--dsn", "http://127.0.0.1:1/x", "--workspace", "nowhere")
	assert.ErrorContains(t, err, "nowhere")
	_, err = clickhouseRun(t, "plan", "--dsn", "http://user:hunter2@127.0.0.1:1/x", "--workspace", "../../pipelines")
	require.ErrorContains(t, err, "connection refused")
	assert.NotContains(t, err.Error(), "hunter2")
	_, err = clickhouseRun(t, "plan", "--workspace", "../../pipelines", "--destination", "warehouse")
	assert.ErrorContains(t, err, "use one of analytics")
	two := &policy.Policy{Destinations: []*policy.Destination{{Name: "a", Kind: "clickhouse"}, {Name: "b", Kind: "clickhouse"}}}
	_, err = clickhouseDestination(two, "")
	assert.ErrorContains(t, err, "--destination: a, b")
}
