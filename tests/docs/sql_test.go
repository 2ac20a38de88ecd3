package docs

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/clickhouse/schema"
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/generate"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/workspace"
	"github.com/ebbgate/ebbgate/plugins/all"
)

// patience bounds every wait; no test is meant to come near it.
const patience = 90 * time.Second

// flow lists the shipped streams that carry an event to ClickHouse, each with its topic.
var flow = []struct{ stream, topic, group string }{
	{"ingest-events", "inbound.events", "ebbgate-ingest-events"},
	{"validate", "events.raw", "ebbgate-validate"},
	{"govern", "events.validated", "ebbgate-govern"},
	{"analytics", "events.authorized.analytics", "ebbgate-analytics"},
}

// TestEveryQueryFindsRows runs the pages' SQL on five weeks of generated events that came through the shipped pipelines.
func TestEveryQueryFindsRows(t *testing.T) {
	var queries []block
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			if b.lang == "sql" {
				queries = append(queries, b)
			}
		}
	}
	require.NotEmpty(t, queries)
	dsn := warehouse(t)
	for _, b := range queries {
		for _, statement := range strings.Split(b.text, ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			rows, err := query(t, dsn, statement)
			require.NoError(t, err, "%s: %s", b.at(), rows)
			assert.NotEmpty(t, strings.TrimSpace(rows), "%s finds no rows", b.at())
			if testing.Verbose() {
				t.Logf("%s\n%s", b.at(), rows)
			}
		}
	}
}

func query(t *testing.T, dsn, statement string) (string, error) {
	t.Helper()
	at := strings.LastIndex(dsn, "/")
	res, err := http.Post(dsn[:at]+"/?default_format=PrettyCompactNoEscapes&database="+dsn[at+1:], "text/plain", strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK {
		return string(text), assert.AnError
	}
	return string(text), err
}

// warehouse returns the DSN of a database with the shipped schema, filled through the shipped pipelines.
func warehouse(t *testing.T) string {
	t.Helper()
	dsn := plugtest.ClickHouse(t)
	t.Chdir(root)
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	seeds, _ := plugtest.Broker(t)
	for name, value := range map[string]string{
		keys.EnvironmentVariable: file, "EBBGATE_BROKERS": strings.Join(seeds, ","), "EBBGATE_CLICKHOUSE_DSN": dsn,
	} {
		t.Setenv(name, value)
	}
	ws, err := workspace.Load("pipelines")
	require.NoError(t, err)
	applySchema(t, ws, dsn)

	client, err := kgo.NewClient(kgo.SeedBrokers(seeds...))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	admin := kadm.NewClient(client)
	_, err = kafka.ApplyTopics(ctx, admin, ws.Topics)
	require.NoError(t, err)
	publish(ctx, t, client)
	for _, f := range flow {
		if f.stream == "analytics" {
			withdraw(ctx, t, client)
		}
		start(t, f.stream)
		drained(ctx, t, admin, f.group, f.topic)
	}
	sumUp(ctx, t, ws, seeds, dsn)
	return dsn
}

// sumUp does what the clock does elsewhere: the outcomes are copied, then the rollups computed.
func sumUp(ctx context.Context, t *testing.T, ws *workspace.Workspace, seeds []string, dsn string) {
	t.Helper()
	client, err := clickhouse.Open(clickhouse.Options{DSN: dsn, Compression: clickhouse.LZ4, Timeout: time.Minute})
	require.NoError(t, err)
	defer client.Close()
	for range 2 { // the second run changes nothing
		n, err := books.CopyOutcomes(ctx, []kgo.Opt{kgo.SeedBrokers(seeds...)}, books.DefaultPlan(ws.Topics, nil), "analytics", client)
		require.NoError(t, err)
		require.Positive(t, n)
	}
	rollups, err := filepath.Glob("pipelines/clickhouse/rollups/*.sql")
	require.NoError(t, err)
	for _, file := range rollups {
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		require.NoError(t, client.Exec(ctx, "SYSTEM REFRESH VIEW "+name))
		require.NoError(t, client.Exec(ctx, "SYSTEM WAIT VIEW "+name))
	}
}

// Analysts have views and no tables, so the cookbook reads views alone.
func TestCookbookReadsViewsAlone(t *testing.T) {
	tables := regexp.MustCompile(`(?:FROM|JOIN) (?:events|outcomes|ebbgate_\w+)\b`)
	for _, b := range blocks(t, "docs/cookbook.md") {
		if b.lang == "sql" {
			assert.NotRegexp(t, tables, b.text, b.at())
		}
	}
}

// withdraw takes back the consent of some whose events are authorized already, so that the sink has something to deny.
func withdraw(ctx context.Context, t *testing.T, client *kgo.Client) {
	t.Helper()
	ring, err := keys.FromEnvironment()
	require.NoError(t, err)
	rec := consent.Record{Version: 3, Purposes: map[string]bool{"analytics": false}, Source: "preference_center", ChangedAt: time.Now()}
	for _, user := range []string{"u_100000", "u_100001", "u_100002"} {
		key := ring.SubjectPseudonym("user_id", user)
		require.NoError(t, client.ProduceSync(ctx, &kgo.Record{Topic: "privacy.consent", Key: []byte(key), Value: rec.Append(nil)}).FirstErr())
	}
}

func applySchema(t *testing.T, ws *workspace.Workspace, dsn string) {
	t.Helper()
	destination, ok := ws.Policy.Destination("analytics")
	require.True(t, ok)
	want, err := schema.Describe(os.DirFS("pipelines/clickhouse"), ws.Contracts, destination)
	require.NoError(t, err)
	client, err := clickhouse.Open(clickhouse.Options{DSN: dsn, Compression: clickhouse.LZ4, Timeout: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	plan, err := schema.MakePlan(t.Context(), client, want, false)
	require.NoError(t, err)
	require.NoError(t, plan.Apply(t.Context(), client, func(schema.Change) {}))
}

// publish writes five weeks of events, and the consent records of those who withdrew it.
func publish(ctx context.Context, t *testing.T, client *kgo.Client) {
	t.Helper()
	const span = 5 * 7 * 24 * time.Hour
	g := generate.New(generate.Options{
		Seed: 1, Count: 6000, Users: 250, Start: time.Now().UTC().Truncate(time.Millisecond).Add(-span), Span: span,
		BadShare: 0.01, MissingConsentShare: 0.03, WithdrawnShare: 0.1, RepeatShare: 0.01,
	})
	ring, err := keys.FromEnvironment()
	require.NoError(t, err)
	var records []*kgo.Record
	for _, s := range g.Statements() {
		rec := consent.Record{Version: s.Version, Purposes: s.Purposes, Source: "preference_center", ChangedAt: s.ChangedAt}
		records = append(records, &kgo.Record{
			Topic: "privacy.consent", Key: []byte(ring.SubjectPseudonym("user_id", s.Subject.UserID)), Value: rec.Append(nil),
		})
	}
	next := g.Records()
	for r, ok := next(); ok; r, ok = next() {
		records = append(records, &kgo.Record{Topic: "inbound.events", Key: bytes.Clone(r.Key), Value: bytes.Clone(r.Value)})
	}
	require.NoError(t, client.ProduceSync(ctx, records...).FirstErr())
}

// start runs a shipped stream until the test ends.
func start(t *testing.T, name string) {
	t.Helper()
	yaml, err := os.ReadFile(filepath.Join("pipelines", "streams", name+".yaml"))
	require.NoError(t, err)
	env, err := all.Environment(false)
	require.NoError(t, err)
	builder := env.NewStreamBuilder()
	require.NoError(t, builder.SetYAML(string(yaml)))
	require.NoError(t, builder.SetLoggerYAML("level: NONE"))
	stream, err := builder.Build()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- stream.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

// drained waits until a group has committed everything its topic holds.
func drained(ctx context.Context, t *testing.T, admin *kadm.Client, group, topic string) {
	t.Helper()
	require.Eventually(t, func() bool {
		lags, err := admin.Lag(ctx, group)
		if err != nil || lags.Error() != nil {
			return false
		}
		partitions, ok := lags[group].Lag[topic]
		if !ok || len(partitions) == 0 {
			return false
		}
		for _, l := range partitions {
			if l.Lag != 0 {
				return false
			}
		}
		return true
	}, patience, 50*time.Millisecond, "%s has not drained %s", group, topic)
}
