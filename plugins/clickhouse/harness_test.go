package clickhouse

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/clickhouse/schema"
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

const (
	testDestination = "analytics"
	testTopic       = "events.authorized.analytics"
)

var testRing = keys.ForTesting("clickhouse output")

// server is a database with the shipped tables.
type server struct {
	dsn    string
	client *clickhouse.Client
}

func newServer(t testing.TB) *server {
	t.Helper()
	return serverAt(t, plugtest.ClickHouse(t))
}

func serverAt(t testing.TB, dsn string) *server {
	t.Helper()
	client, err := clickhouse.Open(clickhouse.Options{DSN: dsn, Compression: clickhouse.LZ4, Timeout: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	s := &server{dsn: dsn, client: client}
	migrations, _, err := schema.LoadFiles(os.DirFS("../../pipelines/clickhouse"))
	require.NoError(t, err)
	for _, m := range migrations {
		for _, statement := range m.Statements {
			s.exec(t, statement)
		}
	}
	return s
}

func (s *server) exec(t testing.TB, statement string) {
	t.Helper()
	require.NoError(t, s.client.Exec(t.Context(), statement))
}

// texts reads one text column.
func (s *server) texts(t testing.TB, query string) []string {
	t.Helper()
	lines := []string{}
	require.NoError(t, s.client.Query(t.Context(), query, nil, func(scan func(...any) error) error {
		var line string
		err := scan(&line)
		lines = append(lines, line)
		return err
	}))
	return lines
}

func (s *server) count(t testing.TB, table string) int {
	t.Helper()
	n, err := strconv.Atoi(s.texts(t, "SELECT toString(count()) FROM "+table)[0])
	require.NoError(t, err)
	return n
}

// offsets lists the offsets in the table, in order; a duplicate shows.
func (s *server) offsets(t testing.TB) []string {
	t.Helper()
	return s.texts(t, "SELECT toString(offset) FROM events ORDER BY partition, offset")
}

// books reads the ledger's account of a chunk: rows, delivered, denied, repeated, settled.
func (s *server) books(t testing.TB) []string {
	t.Helper()
	return s.texts(t, "SELECT format('{}-{}: {} = {} + {} + {} + {}', toString(first), toString(last), toString(rows), toString(delivered), toString(denied_at_export), toString(repeated), toString(settled)) FROM ebbgate_chunks FINAL ORDER BY partition, epoch, first")
}

type option func(*config)

func withStates(states map[string]consent.State) option {
	return func(c *config) { c.lookup = state.NewStatic(states) }
}

func withDSN(dsn string) option { return func(c *config) { c.dsn = dsn } }

func withRules(rules exportRules) option {
	return func(c *config) { c.rules = func() *exportRules { return &rules } }
}

func withColumns(columns map[string]string) option {
	return func(c *config) { c.columns = columns }
}

func (s *server) config(options ...option) config {
	cfg := config{
		dsn: s.dsn, table: "events", destination: testDestination, compression: clickhouse.LZ4, timeout: 20 * time.Second,
		maxInFlight: 4, verifier: seal.NewVerifier(testRing, testDestination), lookup: state.NewStatic(nil),
		rules: func() *exportRules { return &exportRules{} },
	}
	for _, option := range options {
		option(&cfg)
	}
	return cfg
}

func (s *server) unconnected(t testing.TB, options ...option) *output {
	t.Helper()
	o, err := newOutput(s.config(options...), service.MockResources().Metrics())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Close(context.Background())) })
	return o
}

// output is a sink that has just started.
func (s *server) output(t testing.TB, options ...option) *output {
	t.Helper()
	o := s.unconnected(t, options...)
	require.NoError(t, o.Connect(t.Context()))
	return o
}

// sealedEvent is one record as the destination's topic holds it.
type sealedEvent struct {
	rec       seal.Record
	partition int32
	offset    int64
	seal      string // overrides the true one
	raw       bool   // without any header of a seal
}

func newEvent(offset int64) *sealedEvent {
	id := fmt.Sprintf("evt_%08d", offset)
	body := fmt.Sprintf(`{"event_id":%q,"event_name":"trial_started","timestamp":"2026-04-13T09:%02d:%02d.120Z","received_at":"2026-04-13T10:00:00.004Z","subject":{"user_id":"t1.user%d"},"context":{"source":"web_app","schema_version":"1.4.2"},"properties":{"plan":"pro","trial_length_days":%d,"utm_campaign":"spring"}}`,
		id, offset/60%60, offset%60, offset%7, offset)
	return &sealedEvent{
		rec: seal.Record{
			Destination: testDestination, Policy: "2026-11-01", EventID: id, Topic: testTopic, Key: fmt.Sprintf("sk1%d", offset%7),
			SubjectKey: fmt.Sprintf("sk1%d", offset%7), CorrelationID: "req_abc", Class: "product", Requires: "analytics",
			ConsentVersion: "7", SrcTopic: "events.validated", SrcPartition: 3, SrcOffset: 1000 + offset, Body: []byte(body),
		},
		offset: offset,
	}
}

func (e *sealedEvent) with(change func(*sealedEvent)) *sealedEvent {
	change(e)
	return e
}

func (e *sealedEvent) message(of *stage.Chunk) *service.Message {
	msg := service.NewMessage(e.rec.Body)
	set := func(name string, value any) { msg.MetaSet(name, fmt.Sprint(value)) }
	set(stage.MetaKafkaKey, e.rec.Key)
	stage.SetPosition(msg, &stage.Position{Chunk: of, Offset: e.offset})
	if e.raw {
		return msg
	}
	for _, h := range e.rec.Headers() {
		set(h.Name, h.Value)
	}
	text := e.seal
	if text == "" {
		text = seal.NewSealer(testRing, e.rec.Destination).Seal(&e.rec)
	}
	set(seal.HeaderSeal, text)
	return msg
}

// chunkOf is the batch of a chunk that covers exactly the events.
func chunkOf(events ...*sealedEvent) service.MessageBatch { return chunkAt(0, events...) }

func chunkAt(epoch uint32, events ...*sealedEvent) service.MessageBatch {
	of := &stage.Chunk{
		Topic: testTopic, Partition: events[0].partition, ReplayEpoch: epoch,
		First: events[0].offset, Last: events[len(events)-1].offset,
	}
	batch := make(service.MessageBatch, len(events))
	for i, e := range events {
		batch[i] = e.message(of)
	}
	return batch
}

// run makes events first..last.
func run(first, last int64) []*sealedEvent {
	var events []*sealedEvent
	for offset := first; offset <= last; offset++ {
		events = append(events, newEvent(offset))
	}
	return events
}

func offsetTexts(first, last int64) []string {
	var texts []string
	for offset := first; offset <= last; offset++ {
		texts = append(texts, strconv.FormatInt(offset, 10))
	}
	return texts
}
