package staging

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/postgres"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/staging"
	"github.com/ebbgate/ebbgate/internal/stitch"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

const (
	testDestination = "warehouse"
	testTopic       = "events.authorized.warehouse"
)

var testRing = keys.ForTesting("staging output")

// mutable is a state that a test changes while outputs use it.
type mutable struct {
	mu     sync.Mutex
	states map[string]consent.State
	linked map[string][]string
}

// link makes one person of the keys.
func (m *mutable) link(keys ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.linked = map[string][]string{}
	for i, key := range keys {
		m.linked[key] = slices.Concat(keys[:i], keys[i+1:])
	}
}

func (m *mutable) Linked(ctx context.Context, keys []string) ([][]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	linked := make([][]string, len(keys))
	for i, key := range keys {
		linked[i] = m.linked[key]
	}
	return linked, ctx.Err()
}

func (m *mutable) set(key string, s consent.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.states = maps.Clone(m.states)
	if m.states == nil {
		m.states = map[string]consent.State{}
	}
	m.states[key] = s
}

func (m *mutable) Recorded(ctx context.Context, keys []string) ([]consent.State, error) {
	return m.Read(ctx, keys)
}

func (m *mutable) Read(ctx context.Context, keys []string) ([]consent.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	states := make([]consent.State, len(keys))
	for i, key := range keys {
		own := []consent.State{m.states[key]}
		for _, other := range m.linked[key] {
			own = append(own, m.states[other])
		}
		states[i] = consent.Join(own)
	}
	return states, ctx.Err()
}

func (m *mutable) Close(context.Context) error { return nil }

// server is a database with the shipped area, whose roles are this test's own.
type server struct {
	dsn  string
	area *staging.Area
	root *pgx.Conn
	mutable
}

func newServer(t testing.TB) *server {
	t.Helper()
	return serverAt(t, plugtest.Postgres(t))
}

func serverAt(t testing.TB, dsn string) *server {
	t.Helper()
	src, err := os.ReadFile("../../pipelines/staging.yaml")
	require.NoError(t, err)
	suffix := "_" + strings.ToLower(rand.Text())[:8]
	text := strings.NewReplacer("stage_owner", "stage_owner"+suffix, "stage_writer", "stage_writer"+suffix, "stitch_reader", "stitch_reader"+suffix).Replace(string(src))
	s := &server{dsn: dsn}
	s.area, err = staging.Parse([]byte(text), staging.File)
	require.NoError(t, err)
	s.root = s.connect(t, "")
	_, err = postgres.Apply(t.Context(), s.root, s.area, false)
	require.NoError(t, err)
	return s
}

// as is the DSN of a role; empty for the superuser.
func (s *server) as(role string) string {
	u, err := url.Parse(s.dsn)
	if err != nil {
		panic(err)
	}
	if role != "" {
		u.User = url.User(role)
	}
	return u.String()
}

func (s *server) connect(t testing.TB, role string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.as(role))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func (s *server) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := s.root.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

// texts reads one text column.
func (s *server) texts(t testing.TB, sql string, args ...any) []string {
	t.Helper()
	rows, err := s.root.Query(t.Context(), sql, args...)
	require.NoError(t, err)
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return out
}

func (s *server) count(t testing.TB, of string) (n int) {
	t.Helper()
	require.NoError(t, s.root.QueryRow(t.Context(), "SELECT count(*) FROM "+of).Scan(&n))
	return n
}

// keys lists every row with its key: what moves when a row is touched.
func (s *server) sequences(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, table := range s.area.Tables() {
		all = append(all, s.texts(t, fmt.Sprintf("SELECT '%s ' || row_seq FROM stitch_stage.%s ORDER BY row_seq", table.Name, table.Name))...)
	}
	return all
}

// output is a sink that has just started.
func (s *server) output(t testing.TB) *output {
	t.Helper()
	o := s.unconnected(t)
	require.NoError(t, o.Connect(t.Context()))
	return o
}

func (s *server) unconnected(t testing.TB) *output {
	t.Helper()
	ws, err := workspace.Load("../../pipelines")
	require.NoError(t, err)
	rules, err := newRules(&stage.Rules{Workspace: ws}, s.area)
	require.NoError(t, err)
	o, err := newOutput(config{
		dsn: s.as(s.area.Writer), destination: testDestination, timeout: 20 * time.Second, maxInFlight: 4, area: s.area,
		stateTopics: stateTopics(ws.Topics), token: tokens(testRing, testDestination), rules: func() *exportRules { return rules },
		verifier: seal.NewVerifier(testRing, testDestination), lookup: s, log: service.MockResources().Logger(),
	}, service.MockResources().Metrics())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Close(context.Background())) })
	return o
}

// pull is one job of the warehouse's reader.
func (s *server) pull(t testing.TB, reader *stitch.Reader, into *stitch.Destination) {
	t.Helper()
	reader.Schema = s.area.Schema
	conn, err := pgx.Connect(t.Context(), s.as(s.area.Reader))
	require.NoError(t, err)
	defer conn.Close(context.Background())
	require.NoError(t, reader.Pull(t.Context(), conn, into))
}

// sealedEvent is one record as the destination's topic holds it.
type sealedEvent struct {
	rec    seal.Record
	offset int64
	seal   string
	raw    bool
}

func user(n int64) string { return testRing.SubjectPseudonym("user_id", fmt.Sprintf("u%d", n)) }

// touched is a meeting of a user with a campaign.
func touched(offset, who int64) *sealedEvent {
	return newEvent(offset, who, "campaign_touched", "marketing", `"campaign_id":"spring","channel":"email","cost":0.25,"utm_campaign":"c1"`).
		with(func(e *sealedEvent) { e.rec.Requires = "analytics;marketing=properties.utm_campaign" })
}

func signedUp(offset, who int64, plan string) *sealedEvent {
	return newEvent(offset, who, "signed_up", "product", fmt.Sprintf(`"method":"sso","plan":%q,"country":"DE"`, plan))
}

func newEvent(offset, who int64, name, class, properties string) *sealedEvent {
	id := fmt.Sprintf("evt_%08d", offset)
	at := time.Date(2026, 4, 13, 9, 0, 0, 0, time.UTC).Add(time.Duration(offset) * time.Second).Format(time.RFC3339)
	body := fmt.Sprintf(`{"event_id":%q,"event_name":%q,"timestamp":%q,"subject":{"user_id":"t1.user%d","account_id":"t1.acc%d"},"context":{"source":"web_app"},"properties":{%s}}`, id, name, at, who, who, properties)
	return &sealedEvent{offset: offset, rec: seal.Record{
		Destination: testDestination, Policy: "2026-11-01", EventID: id, Topic: testTopic, Key: user(who), SubjectKey: user(who),
		CorrelationID: "req_abc", Class: class, Requires: "analytics", ConsentVersion: "7", SrcTopic: "events.validated", SrcPartition: 3, SrcOffset: 1000 + offset, Body: []byte(body),
	}}
}

func (e *sealedEvent) with(change func(*sealedEvent)) *sealedEvent {
	change(e)
	return e
}

func (e *sealedEvent) message(of *stage.Chunk) *service.Message {
	msg := service.NewMessage(e.rec.Body)
	msg.MetaSet(stage.MetaKafkaKey, e.rec.Key)
	stage.SetPosition(msg, &stage.Position{Chunk: of, Offset: e.offset})
	if e.raw {
		return msg
	}
	for _, h := range e.rec.Headers() {
		msg.MetaSet(h.Name, h.Value)
	}
	text := e.seal
	if text == "" {
		text = seal.NewSealer(testRing, e.rec.Destination).Seal(&e.rec)
	}
	msg.MetaSet(seal.HeaderSeal, text)
	return msg
}

func chunkOf(events ...*sealedEvent) service.MessageBatch { return chunkAt(0, 0, events...) }

func chunkAt(partition int32, epoch uint32, events ...*sealedEvent) service.MessageBatch {
	of := &stage.Chunk{Topic: testTopic, Partition: partition, ReplayEpoch: epoch, First: events[0].offset, Last: events[len(events)-1].offset}
	batch := make(service.MessageBatch, len(events))
	for i, e := range events {
		batch[i] = e.message(of)
	}
	return batch
}

// changed is a chunk of a state topic that names subjects.
func changed(topic string, offset int64, subjects ...string) service.MessageBatch {
	of := &stage.Chunk{Topic: topic, First: offset, Last: offset + int64(len(subjects)) - 1}
	var batch service.MessageBatch
	for i, subject := range subjects {
		msg := service.NewMessage([]byte("{}"))
		msg.MetaSet(stage.MetaKafkaKey, subject)
		stage.SetPosition(msg, &stage.Position{Chunk: of, Offset: offset + int64(i)})
		batch = append(batch, msg)
	}
	return batch
}

func withdrawn(purposes ...string) consent.State {
	r := &consent.Record{Version: 8, Purposes: map[string]bool{}}
	for _, p := range purposes {
		r.Purposes[p] = false
	}
	return consent.State{Consent: r}
}
