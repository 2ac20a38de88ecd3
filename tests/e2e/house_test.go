// Package e2e runs the real program on real parts: a broker in a process of its own, the embedded ClickHouse, and the
// shipped pipelines. Each test is one promise of docs/design.md, kept or broken in sight of what lies on the topics and in
// the table at the end.
package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// patience bounds every wait; no test is meant to come near it.
const patience = 2 * time.Minute

// house is a copy of the shipped workspace, a broker and a ClickHouse database, all of the test's own.
type house struct {
	t       *testing.T
	root    string // where commands run: holds pipelines/ and bloblang/
	logs    string
	ws      *workspace.Workspace
	ring    *keys.Ring
	broker  *plugtest.Process
	server  *plugtest.Process // ClickHouse; nil where the database is on the shared one
	dsn     string
	env     []string
	options []kgo.Opt // how tests reach the broker
	client  *kgo.Client
	admin   *kadm.Client
	conn    clickhouse.Conn

	started int
}

// newHouse has a broker to itself and a database on a ClickHouse it shares. Topics and tables are applied.
func newHouse(t *testing.T) *house {
	t.Helper()
	t.Parallel()
	return furnish(t, nil, plugtest.ClickHouse(t))
}

// newHouseWithServer has a ClickHouse to itself as well, which the test may kill.
func newHouseWithServer(t *testing.T) *house {
	t.Helper()
	t.Parallel()
	server := plugtest.ClickHouseProcess(t)
	conn := open(t, server.DSN("default"))
	require.NoError(t, conn.Exec(t.Context(), "CREATE DATABASE ebbgate"))
	return furnish(t, server, server.DSN("ebbgate"))
}

func furnish(t *testing.T, server *plugtest.Process, dsn string) *house {
	t.Helper()
	h := bare(t)
	h.broker, h.server, h.dsn = plugtest.BrokerProcess(t), server, dsn
	h.env = append(h.env, sandbox.EnvBrokers+"="+h.broker.Address(), sandbox.EnvClickHouseDSN+"="+dsn)
	h.conn = open(t, dsn)
	h.connect(kgo.SeedBrokers(h.broker.Address()))
	h.must("topics", "apply")
	h.must("clickhouse", "apply")
	return h
}

// bare is a workspace and keys without any server.
func bare(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, root: t.TempDir()}
	h.logs = filepath.Join(h.root, "logs")
	require.NoError(t, os.Mkdir(h.logs, 0o700))
	for _, dir := range []string{"pipelines", "bloblang/lib"} {
		require.NoError(t, os.CopyFS(filepath.Join(h.root, dir), os.DirFS(filepath.Join("..", "..", dir))))
	}
	file := filepath.Join(h.root, "master.key")
	require.NoError(t, keys.Init(file))
	h.env = []string{keys.EnvironmentVariable + "=" + file, "EBBGATE_HTTP_ADDRESS=127.0.0.1:0", "TZ=UTC"}
	var err error
	h.ring, err = keys.Load(file)
	require.NoError(t, err)
	h.ws, err = workspace.Load(h.path("pipelines"))
	require.NoError(t, err)
	h.quicken()
	return h
}

var groupLine = regexp.MustCompile(`(?m)^( +)consumer_group: .*$`)

// quicken gives the streams' groups the shortest times a broker takes, so that a killed member is not waited for long, and
// small chunks, so that a kill meets many.
func (h *house) quicken() {
	for _, file := range h.streams() {
		h.rewrite(file, func(yaml string) string {
			return groupLine.ReplaceAllString(yaml, "$0\n${1}session_timeout: 6s\n${1}rebalance_timeout: 2s\n${1}heartbeat_interval: 300ms\n${1}chunk_period: 200ms\n${1}chunk_offsets: 128")
		})
	}
}

// streams are the files of the shipped streams, relative to the root.
func (h *house) streams() (files []string) {
	all, err := filepath.Glob(h.path("pipelines/streams/*.yaml"))
	require.NoError(h.t, err)
	for _, file := range all {
		if !strings.HasSuffix(file, "_test.yaml") {
			files = append(files, "pipelines/streams/"+filepath.Base(file))
		}
	}
	require.NotEmpty(h.t, files)
	return files
}

func (h *house) path(relative string) string {
	return filepath.Join(h.root, filepath.FromSlash(relative))
}

func (h *house) read(relative string) string {
	h.t.Helper()
	text, err := os.ReadFile(h.path(relative))
	require.NoError(h.t, err)
	return string(text)
}

// write makes a file and returns its name.
func (h *house) write(relative, text string) string {
	h.t.Helper()
	require.NoError(h.t, os.MkdirAll(filepath.Dir(h.path(relative)), 0o700))
	require.NoError(h.t, os.WriteFile(h.path(relative), []byte(text), 0o600))
	return relative
}

func (h *house) rewrite(relative string, change func(string) string) {
	h.t.Helper()
	before := h.read(relative)
	after := change(before)
	require.NotEqual(h.t, before, after, "nothing to change in %s", relative)
	h.write(relative, after)
}

// replace changes a text that must be there.
func (h *house) replace(relative, old, new string) {
	h.t.Helper()
	h.rewrite(relative, func(text string) string { return strings.ReplaceAll(text, old, new) })
}

// environment is that of this process without what an open shell may point at a sandbox, and with the house's.
func (h *house) environment() []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "EBBGATE_") || strings.HasPrefix(pair, "EBBGATE_CACHE_DIR=") {
			env = append(env, pair)
		}
	}
	return append(env, h.env...)
}

// pipelines starts all streams of the workspace in one process, as the guide says.
func (h *house) pipelines() *process {
	h.t.Helper()
	return h.start("streams", "-o", "pipelines/service.yaml", "pipelines/streams")
}

func (h *house) connect(options ...kgo.Opt) {
	h.t.Helper()
	var err error
	h.options = options
	h.client, err = kgo.NewClient(append(options[:len(options):len(options)], kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.ProducerBatchMaxBytes(2<<20))...)
	require.NoError(h.t, err)
	h.t.Cleanup(h.client.Close)
	h.admin = kadm.NewClient(h.client)
}

func (h *house) ctx() context.Context {
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	h.t.Cleanup(cancel)
	return ctx
}

// until waits for a condition; explain is asked when it does not come.
func (h *house) until(condition func() bool, explain func() string) {
	h.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(patience); !condition(); <-ticker.C {
		if time.Now().After(end) {
			h.t.Fatal(explain())
		}
	}
}

func open(t *testing.T, dsn string) clickhouse.Conn {
	t.Helper()
	opts, err := clickhouse.ParseDSN(dsn)
	require.NoError(t, err)
	conn, err := clickhouse.Open(opts)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}
