package docs

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	{"compliance", "privacy.decisions", "ebbgate-audit"},
}

// withdrawn are users whose consent goes when their events are authorized already.
var withdrawn = []string{"u_100000", "u_100001", "u_100002"}

// span is how long the generated journeys take: longer than the funnel's window, so that it matters.
const span = 8 * 7 * 24 * time.Hour

// warehouse is a database with the shipped schema, filled through the shipped pipelines, and what the test knows of it.
type warehouse struct {
	dsn     string
	ws      *workspace.Workspace
	client  *clickhouse.Client
	brokers []kgo.Opt
	admin   *kadm.Client
	events  []generate.Event // as published, in order, repeats of clients among them
}

func newWarehouse(t *testing.T) *warehouse {
	t.Helper()
	w := &warehouse{dsn: plugtest.ClickHouse(t)}
	t.Chdir(root)
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	seeds, _ := plugtest.Broker(t)
	for name, value := range map[string]string{
		keys.EnvironmentVariable: file, "EBBGATE_BROKERS": strings.Join(seeds, ","), "EBBGATE_CLICKHOUSE_DSN": w.dsn,
	} {
		t.Setenv(name, value)
	}
	var err error
	w.ws, err = workspace.Load("pipelines")
	require.NoError(t, err)
	w.applySchema(t)

	w.brokers = []kgo.Opt{kgo.SeedBrokers(seeds...)}
	client, err := kgo.NewClient(w.brokers...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	w.admin = kadm.NewClient(client)
	_, err = kafka.ApplyTopics(ctx, w.admin, w.ws.Topics)
	require.NoError(t, err)
	w.publish(ctx, t, client)
	for _, f := range flow {
		if f.stream == "analytics" {
			withdraw(ctx, t, client)
		}
		start(t, f.stream)
		drained(ctx, t, w.admin, f.group, f.topic)
	}
	for range 2 { // the second run changes nothing
		copied, err := books.CopyOutcomes(ctx, w.brokers, books.DefaultPlan(w.ws.Topics, nil), "analytics", w.client)
		require.NoError(t, err)
		require.Positive(t, copied.Rows)
		require.Zero(t, copied.Unreadable)
	}
	w.refresh(t)
	return w
}

func (w *warehouse) applySchema(t *testing.T) {
	t.Helper()
	destination, ok := w.ws.Policy.Destination("analytics")
	require.True(t, ok)
	want, err := schema.Describe(os.DirFS("pipelines/clickhouse"), w.ws.Contracts, destination)
	require.NoError(t, err)
	w.client, err = clickhouse.Open(clickhouse.Options{DSN: w.dsn, Compression: clickhouse.LZ4, Timeout: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.client.Close()) })
	plan, err := schema.MakePlan(t.Context(), w.client, want, false)
	require.NoError(t, err)
	require.NoError(t, plan.Apply(t.Context(), w.client, func(schema.Change) {}))
}

// refresh does what the clock does elsewhere: it computes the rollups.
func (w *warehouse) refresh(t *testing.T) {
	t.Helper()
	rollups, err := filepath.Glob("pipelines/clickhouse/rollups/*.sql")
	require.NoError(t, err)
	for _, file := range rollups {
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		require.NoError(t, w.client.Exec(t.Context(), "SYSTEM REFRESH VIEW "+name))
		require.NoError(t, w.client.Exec(t.Context(), "SYSTEM WAIT VIEW "+name))
	}
}

// replay brings every row a second time, as a replay does of which the sink knows nothing.
func (w *warehouse) replay(t *testing.T) {
	t.Helper()
	require.NoError(t, w.client.Exec(t.Context(), `INSERT INTO events SELECT * REPLACE (
		offset + 1000000 AS offset, 1 AS replay_epoch, inserted_at + INTERVAL 7 DAY AS inserted_at) FROM events`))
	w.refresh(t)
}

// ask runs a query and returns what the server answers, in a format of its.
func (w *warehouse) ask(t *testing.T, format, statement string) (string, error) {
	t.Helper()
	at := strings.LastIndex(w.dsn, "/")
	res, err := http.Post(w.dsn[:at]+"/?default_format="+format+"&database="+w.dsn[at+1:], "text/plain", strings.NewReader(statement))
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

// withdraw takes back the consent of some whose events are authorized already, so that the sink has something to deny.
func withdraw(ctx context.Context, t *testing.T, client *kgo.Client) {
	t.Helper()
	ring, err := keys.FromEnvironment()
	require.NoError(t, err)
	rec := consent.Record{Version: 3, Purposes: map[string]bool{"analytics": false}, Source: "preference_center", ChangedAt: time.Now()}
	for _, user := range withdrawn {
		key := ring.SubjectPseudonym("user_id", user)
		require.NoError(t, client.ProduceSync(ctx, &kgo.Record{Topic: "privacy.consent", Key: []byte(key), Value: rec.Append(nil)}).FirstErr())
	}
}

// publish writes weeks of events, and the consent records of those who withdrew it.
func (w *warehouse) publish(ctx context.Context, t *testing.T, client *kgo.Client) {
	t.Helper()
	g := generate.New(generate.Options{
		Seed: 1, Count: 6000, Users: 250, Start: time.Now().UTC().Truncate(time.Millisecond).Add(-span), Span: span,
		BadShare: 0.02, MissingConsentShare: 0.03, WithdrawnShare: 0.1, RepeatShare: 0.03,
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
	for ev, ok := g.Next(nil); ok; ev, ok = g.Next(nil) {
		w.events = append(w.events, ev)
	}
	w.events = append(w.events, busyHour(w.events[len(w.events)-1].Time)...)
	slices.SortStableFunc(w.events, func(a, b generate.Event) int { return a.Time.Compare(b.Time) })
	for _, ev := range w.events {
		records = append(records, &kgo.Record{Topic: "inbound.events", Key: fmt.Append(nil, ev.Subject.UserID, ev.Subject.AnonymousID), Value: ev.Bytes})
	}
	require.NoError(t, client.ProduceSync(ctx, records...).FirstErr())
}

// busyHour is a visitor who reloads a page all the time, so that there is an hour with many events of one kind.
func busyHour(end time.Time) (out []generate.Event) {
	const form = `{"event_name":"page_viewed","event_id":"busy_%d","timestamp":%q,"received_at":%[2]q,"subject":{"anonymous_id":"anon-busy"},` +
		`"consent":{"analytics":true,"marketing":false,"source":"consent_service","version":"1"},"context":{"source":"web_app","schema_version":"1.1.0"},"properties":{"path":"/status"}}`
	from := end.Truncate(time.Hour).Add(-time.Hour)
	for i := range 90 {
		at := from.Add(time.Duration(i) * 39 * time.Second)
		out = append(out, generate.Event{
			Bytes: fmt.Appendf(nil, form, i, at.Format(time.RFC3339Nano)), ID: fmt.Sprintf("busy_%d", i), Name: "page_viewed", Time: at,
			Subject: generate.Subject{AnonymousID: "anon-busy"},
			Expect:  generate.Expect{Claim: generate.Claim{Analytics: generate.Yes, Marketing: generate.No}, Storage: generate.Analytics},
		})
	}
	return out
}

// withoutRepeats leaves in what clients send again, so that it is in the table as it is where it comes after the window.
var withoutRepeats = regexp.MustCompile(`    - label: repeats\n      repeats:.*\n        seed_brokers:.*\n`)

// start runs a shipped stream until the test ends.
func start(t *testing.T, name string) {
	t.Helper()
	yaml, err := os.ReadFile(filepath.Join("pipelines", "streams", name+".yaml"))
	require.NoError(t, err)
	env, err := all.Environment(false)
	require.NoError(t, err)
	builder := env.NewStreamBuilder()
	require.NoError(t, builder.SetYAML(withoutRepeats.ReplaceAllString(string(yaml), "")))
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
