// Package monitoring runs the shipped streams into the faults the alert rules are for, scrapes them as Prometheus would, and asks
// promtool which of the shipped rules fire. It also holds the dashboard to the metrics that exist.
package monitoring

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/clickhouse/schema"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/workspace"
	"github.com/ebbgate/ebbgate/plugins/all"
)

const patience = 60 * time.Second

// house is a broker, a ClickHouse database and the streams that run, each with an exporter of its own.
type house struct {
	t         *testing.T
	cluster   *kfake.Cluster
	seeds     []string
	client    *kgo.Client
	admin     *kadm.Client
	exporters map[string]*mux // by stream
	published int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	seeds, cluster := plugtest.Broker(t)
	t.Setenv("EBBGATE_BROKERS", strings.Join(seeds, ","))
	dsn := plugtest.ClickHouse(t)
	t.Setenv("EBBGATE_CLICKHOUSE_DSN", dsn)

	h := &house{t: t, cluster: cluster, seeds: seeds, exporters: map[string]*mux{}}
	var err error
	h.client, err = kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	require.NoError(t, err)
	t.Cleanup(h.client.Close)
	h.admin = kadm.NewClient(h.client)
	ws, err := workspace.Load("pipelines")
	require.NoError(t, err)
	_, err = kafka.ApplyTopics(h.ctx(), h.admin, ws.Topics)
	require.NoError(t, err)
	h.tables(dsn)
	return h
}

func (h *house) tables(dsn string) {
	h.t.Helper()
	client, err := clickhouse.Open(clickhouse.Options{DSN: dsn, Timeout: time.Minute})
	require.NoError(h.t, err)
	defer client.Close()
	migrations, _, err := schema.LoadFiles(os.DirFS("pipelines/clickhouse"))
	require.NoError(h.t, err)
	for _, m := range migrations {
		for _, statement := range m.Statements {
			require.NoError(h.t, client.Exec(h.ctx(), statement))
		}
	}
}

func (h *house) ctx() context.Context {
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	h.t.Cleanup(cancel)
	return ctx
}

// quick is where a short chunk_period goes: rounds of traffic then take no longer than they must.
var quick = regexp.MustCompile(`(?m)^( +)consumer_group: .*$`)

// run starts a stream of the workspace, changed by pairs of old and new text.
func (h *house) run(name string, replace ...string) {
	h.t.Helper()
	h.runFile(name, filepath.Join("pipelines", "streams", name+".yaml"), replace...)
}

// runFile is run for a file that may lie elsewhere.
func (h *house) runFile(name, file string, replace ...string) {
	h.t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(h.t, err)
	for i := 0; i < len(replace); i += 2 {
		require.Contains(h.t, string(text), replace[i])
	}
	service, err := os.ReadFile(filepath.Join("pipelines", "service.yaml"))
	require.NoError(h.t, err)
	require.Contains(h.t, string(service), "\n  prometheus: {}", "what is shipped is what is tested")

	env, err := all.Environment(false)
	require.NoError(h.t, err)
	builder := env.NewStreamBuilder()
	require.NoError(h.t, builder.SetYAML(quick.ReplaceAllString(strings.NewReplacer(replace...).Replace(string(text)), "$0\n${1}chunk_period: 50ms")))
	require.NoError(h.t, builder.SetLoggerYAML("level: NONE"))
	require.NoError(h.t, builder.SetMetricsYAML("prometheus: {}"))
	exporter := &mux{handlers: map[string]http.HandlerFunc{}}
	builder.SetHTTPMux(exporter)
	stream, err := builder.Build()
	require.NoError(h.t, err)
	h.exporters[name] = exporter
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = stream.Run(ctx)
	}()
	h.t.Cleanup(func() { cancel(); <-done })
}

// mux takes the endpoints of one stream.
type mux struct{ handlers map[string]http.HandlerFunc }

// HandleFunc takes one endpoint.
func (m *mux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.handlers[pattern] = handler
}

func (m *mux) scrape() string {
	res := httptest.NewRecorder()
	m.handlers["/metrics"](res, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return res.Body.String()
}

func (h *house) publish(topic string, at time.Time, values ...string) {
	h.t.Helper()
	for _, value := range values {
		h.published++
		rec := &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "%d", h.published), Value: []byte(value), Timestamp: at}
		require.NoError(h.t, h.client.ProduceSync(h.ctx(), rec).FirstErr())
	}
}

// drained waits until a group has committed everything its topic holds.
func (h *house) drained(group, topic string) {
	h.t.Helper()
	h.until(func() bool {
		ends, err := h.admin.ListEndOffsets(h.ctx(), topic)
		if err != nil {
			return false
		}
		committed, err := h.admin.FetchOffsets(h.ctx(), group)
		behind := err != nil
		ends.Each(func(o kadm.ListedOffset) {
			at, ok := committed.Lookup(o.Topic, o.Partition)
			behind = behind || (o.Offset > 0 && (!ok || at.At < o.Offset))
		})
		return !behind
	}, group+" has not drained "+topic)
}

func (h *house) until(condition func() bool, what string) {
	h.t.Helper()
	require.Eventually(h.t, condition, patience, 20*time.Millisecond, what)
}

// event is a trial that somebody started.
func (h *house) event(consent, properties string) string {
	h.published++
	return fmt.Sprintf(`{"event_name":"trial_started","event_id":"evt_%[1]d","timestamp":%[2]q,"subject":{"user_id":"u_%[1]d"},`+
		`"consent":%[3]s,"context":{"source":"web_app","schema_version":"1.4.2"},"properties":{"plan":"pro","trial_length_days":14%[4]s}}`,
		h.published, time.Now().UTC().Format(time.RFC3339), consent, properties)
}

const (
	agreed = `{"analytics":true,"marketing":true}`
	silent = `{}`
)

func (h *house) events(n int, consent, properties string) (list []string) {
	for range n {
		list = append(list, h.event(consent, properties))
	}
	return list
}

// everything runs all streams from the door to ClickHouse.
func (h *house) everything() {
	h.t.Helper()
	for _, name := range []string{"ingest-events", "validate", "govern", "analytics"} {
		h.run(name)
	}
}

// settled waits until what was published has come to its end.
func (h *house) settled() {
	h.t.Helper()
	h.drained("ebbgate-ingest-events", "inbound.events")
	h.drained("ebbgate-validate", "events.raw")
	h.drained("ebbgate-govern", "events.validated")
	h.drained("ebbgate-analytics", "events.authorized.analytics")
}
