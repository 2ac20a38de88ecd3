package books

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// pipeline is a broker whose topics a test fills as the stages do.
type pipeline struct {
	t       *testing.T
	options []kgo.Opt
	client  *kgo.Client
	plan    Plan
}

func newPipeline(t *testing.T) *pipeline {
	text, err := os.ReadFile("../../pipelines/topics.yaml")
	require.NoError(t, err)
	set, err := topics.Parse(text, "topics.yaml")
	require.NoError(t, err)
	plan := DefaultPlan(set, []Stage{{"inbound.events", "ebbgate-ingest-events"}}, "analytics")
	var names []string
	for _, s := range plan.all() {
		names = append(names, s.Topic)
	}
	seeds, _ := plugtest.Broker(t, kfake.SeedTopics(2, names...))
	options := []kgo.Opt{kgo.SeedBrokers(seeds...)}
	client, err := kgo.NewClient(append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return &pipeline{t, options, client, plan}
}

// put produces one record to partition 1 and returns its position.
func (p *pipeline) put(topic, value string, headers ...string) position {
	p.t.Helper()
	r := &kgo.Record{Topic: topic, Partition: 1, Key: []byte("key-" + topic), Value: []byte(value)}
	for i := 0; i < len(headers); i += 2 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: headers[i], Value: []byte(headers[i+1])})
	}
	require.NoError(p.t, p.client.ProduceSync(p.t.Context(), r).FirstErr())
	return at(r)
}

// from gives the headers that our output adds.
func from(p position, id string) []string {
	return []string{
		"event_id", id, "src_topic", p.topic, "src_partition", strconv.Itoa(int(p.partition)), "src_offset", strconv.FormatInt(p.offset, 10),
	}
}

func (p *pipeline) deny(id, destination, reason string) {
	d := consent.Decision{EventID: id, Destination: destination, Verdict: "denied", Reason: reason, Stage: "govern"}
	p.put(p.plan.Decisions, string(d.Append(nil)))
}

func (p *pipeline) quarantine(id, code string, ref position) {
	rec := quarantine.New(code, "", "validate", quarantine.Ref{Topic: ref.topic, Partition: ref.partition, Offset: ref.offset}, id, nil, nil, time.Now())
	p.put(p.plan.Quarantine, string(rec.Append(nil)))
}

func (p *pipeline) commit(group, topic string, offset int64) {
	p.t.Helper()
	var offsets kadm.Offsets
	offsets.AddOffset(topic, 1, offset, -1)
	require.NoError(p.t, kadm.NewClient(p.client).CommitAllOffsets(p.t.Context(), group, offsets))
}

func (p *pipeline) books(sinks ...Sink) *Books {
	p.t.Helper()
	ledger, err := Collect(p.t.Context(), p.options, p.plan, sinks...)
	require.NoError(p.t, err)
	return ledger.Compute()
}

// store opens a ClickHouse with the shipped tables and gives it the rows and one chunk.
func store(t *testing.T) driver.Conn {
	t.Helper()
	return storeAt(t, plugtest.ClickHouse(t))
}

func storeAt(t *testing.T, dsn string) driver.Conn {
	t.Helper()
	options, err := clickhouse.ParseDSN(dsn)
	require.NoError(t, err)
	conn, err := clickhouse.Open(options)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	files, err := filepath.Glob("../../pipelines/clickhouse/0*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, conn.Exec(t.Context(), strings.TrimSuffix(strings.TrimSpace(string(text)), ";")))
	}
	return conn
}

func exec(t *testing.T, conn driver.Conn, format string, args ...any) {
	t.Helper()
	require.NoError(t, conn.Exec(t.Context(), fmt.Sprintf(format, args...)))
}

// run sends events through all hops by hand: one that arrives, one denied everywhere, one broken at the door, one that
// breaks its contract, one withdrawn while it waited for the sink.
func (p *pipeline) run(conn driver.Conn) {
	p.t.Helper()
	topic := p.plan.Destinations[0].Topic
	door := func(body string) position { return p.put("inbound.events", body) }
	hop := func(at position, id string) position {
		raw := p.put("events.raw", `{}`, from(at, id)...)
		return p.put("events.validated", `{}`, from(raw, id)...)
	}
	arrives := hop(door(`{"event_id":"arrives"}`), "arrives")
	for _, d := range p.plan.Destinations {
		p.put(d.Topic, `{"event_id":"arrives"}`, from(arrives, "arrives")...)
	}
	denied := door(`{}`) // has no id of its own: the next hop gives it one
	p.put("events.raw", `{}`, from(denied, "denied")...)
	p.put("events.raw", `{}`, from(denied, "denied")...) // a hop that was killed does its work again
	p.deny("denied", Everywhere, "consent.analytics=false")
	p.quarantine("", "event.syntax", door(`{"event_id":"who knows",,}`))
	broken := p.put("events.raw", `{}`, from(door(`{"event_id":"broken"}`), "broken")...)
	p.quarantine("broken", "contract.type", broken)
	withdrawn := hop(door(`{"event_id":"withdrawn"}`), "withdrawn")
	p.put(topic, `{}`, from(withdrawn, "withdrawn")...)
	p.deny("withdrawn", "warehouse", "consent.analytics=false")
	p.deny("withdrawn", "activation", "erased")

	exec(p.t, conn, `INSERT INTO events (event_id, properties) VALUES ('arrives', '{"a/b":1}')`)
	exec(p.t, conn, `INSERT INTO ebbgate_chunks (destination, topic, first, last, rows, delivered, denied_at_export, denied_events, denied_reasons)
		VALUES ('analytics', '%s', 0, 1, 2, 1, 1, ['withdrawn'], ['consent.withdrawn.analytics'])`, topic)
	for group, topic := range map[string]string{
		"ebbgate-ingest-events": "inbound.events", "ebbgate-validate": "events.raw", "ebbgate-govern": "events.validated", "ebbgate-analytics": topic,
	} {
		p.commit(group, topic, 100)
	}
}

func TestCollectFollowsEveryEvent(t *testing.T) {
	conn, p := store(t), newPipeline(t)
	p.run(conn)
	books := p.books(ClickHouseSink(conn, "analytics", "events"))
	var out bytes.Buffer
	require.NoError(t, books.WriteTable(&out))
	require.True(t, books.Balanced(), out.String())
	assert.True(t, books.Drained())
	row, _ := books.Row("analytics")
	assert.Equal(t, 5, row.Accepted)
	assert.Equal(t, 1, row.Delivered)
	assert.Equal(t, map[string]int{"consent.analytics=false": 1, "consent.withdrawn.analytics": 1}, row.Reasons)
	assert.Equal(t, map[string]int{"event.syntax": 1, "contract.type": 1}, row.Codes)
	row, _ = books.Row("activation")
	assert.Equal(t, 1, row.Delivered, "counted on the topic")
	assert.Equal(t, 1, row.Suppressed)
	assert.Contains(t, out.String(), "activation *")
	assert.Contains(t, out.String(), "delivered means on the topic events.authorized.activation")
	assert.Contains(t, out.String(), "balanced: every accepted event came to exactly one end")

	// A lost, a forged and a doubled event are each seen.
	lost := p.put("inbound.events", `{"event_id":"lost"}`)
	exec(t, conn, `INSERT INTO events (event_id) VALUES ('forged'), ('arrives')`)
	p.commit("ebbgate-ingest-events", lost.topic, lost.offset+1)
	books = p.books(ClickHouseSink(conn, "analytics", "events"))
	row, _ = books.Row("analytics")
	kinds := map[ProblemKind]int{}
	for _, problem := range row.Problems {
		kinds[problem.Kind] = problem.Events
	}
	assert.Equal(t, map[ProblemKind]int{Lost: 1, Unknown: 1, Twice: 1, SinkBooks: 1}, kinds)
	out.Reset()
	require.NoError(t, books.WriteTable(&out))
	assert.Contains(t, out.String(), "the books do not balance")
	assert.Contains(t, out.String(), "PROBLEM analytics: lost: 1, such as lost")
}

func TestCollectSeesWhatWaits(t *testing.T) {
	p := newPipeline(t)
	first := p.put("inbound.events", `{"event_id":"at the door"}`)
	p.commit("ebbgate-ingest-events", "inbound.events", first.offset)
	half := p.put("events.validated", `{}`, from(p.put("inbound.events", `{"event_id":"half way"}`), "half way")...)
	p.put("events.authorized.analytics", `{}`, from(half, "half way")...)
	p.deny("half way", "activation", "consent.marketing=false")
	p.deny("half way", "warehouse", "consent.analytics=false")
	books := p.books()
	assert.True(t, books.Balanced())
	assert.False(t, books.Drained())
	row, _ := books.Row("analytics")
	assert.Equal(t, 2, row.Waiting)

	// Committed by all, and nowhere to be seen: that is not waiting.
	p.commit("ebbgate-ingest-events", "inbound.events", 2)
	assert.False(t, p.books().Balanced())
}

// A record at the sink that goes into quarantine ends its event at that destination only.
func TestCollectQuarantineAtASink(t *testing.T) {
	p := newPipeline(t)
	door := p.put("inbound.events", `{"event_id":"e"}`)
	var refs []position
	for _, d := range p.plan.Destinations {
		refs = append(refs, p.put(d.Topic, `{}`, from(door, "e")...))
	}
	p.quarantine("", "seal.mismatch", refs[0])
	for group, topic := range map[string]string{"ebbgate-ingest-events": "inbound.events", "ebbgate-analytics": refs[0].topic} {
		p.commit(group, topic, 1)
	}
	books := p.books()
	assert.True(t, books.Balanced())
	for i, want := range []int{1, 0, 0} {
		assert.Equal(t, want, books.Rows[i].Quarantined, books.Rows[i].Destination)
	}
}

// Every element of an array is an event of its own, and one that got lost is missed.
func TestCollectFollowsTheElementsOfAnArray(t *testing.T) {
	p := newPipeline(t)
	door := p.put("inbound.events", `[{"n":1},{"n":2},{"n":2},3]`)
	whole := `[{"n":1},{"n":2},]`
	p.quarantine(event.DeriveID("quarantine", whole), "event.syntax", p.put("inbound.events", whole))
	p.put("events.raw", `{}`, from(door, "one")...)
	p.deny("one", Everywhere, "consent.analytics=false")
	p.quarantine("three", "event.not_object", door)
	for group, topic := range map[string]string{"ebbgate-ingest-events": "inbound.events", "ebbgate-validate": "events.raw"} {
		p.commit(group, topic, 2)
	}
	row, _ := p.books().Row("analytics")
	assert.Equal(t, []Problem{{Lost, 1, []string{"inbound.events/1/0#2"}}}, row.Problems)

	p.put("events.raw", `{}`, from(door, "two")...)
	p.put("events.raw", `{}`, from(door, "two")...)
	p.deny("two", Everywhere, "consent.analytics=false")
	p.commit("ebbgate-validate", "events.raw", 3)
	row, _ = p.books().Row("analytics")
	assert.Empty(t, row.Problems)
	assert.Equal(t, 4, row.Accepted)
}

func TestCollectWithoutTopics(t *testing.T) {
	seeds, _ := plugtest.Broker(t)
	ledger, err := Collect(t.Context(), []kgo.Opt{kgo.SeedBrokers(seeds...)}, Plan{
		Accepted: []Stage{{"absent", "nobody"}}, Destinations: []Destination{{Name: "analytics"}},
	})
	require.NoError(t, err)
	assert.Zero(t, ledger.Compute().Rows[0].Accepted)
}

func TestLeaksInTopicsTablesAndFiles(t *testing.T) {
	conn, p := store(t), newPipeline(t)
	p.run(conn)
	log := filepath.Join(t.TempDir(), "ebbgate.log")
	require.NoError(t, os.WriteFile(log, []byte("level=info\n"), 0o600))
	sources := []Source{TopicSource(p.options, "events.authorized.analytics"), ClickHouseSource(conn, "events"), FileSource(log)}
	canaries := []Canary{{"canary-1-1@example.com", "properties.email"}, {"Mozilla/5.0 (Canary agent-1-1)", "context.user_agent"}, {`{"a/b":1}`, "properties"}}
	leaks, err := Leaks(t.Context(), sources, canaries)
	require.NoError(t, err)
	require.Len(t, leaks, 1, "the row's own text is found as it was written")
	assert.Equal(t, "table events", leaks[0].Source)

	p.put("events.authorized.analytics", "{}", "x-header", "canary-1-1@example.com")
	exec(t, conn, `INSERT INTO events (event_id, properties) VALUES ('x', 'Mozilla/5.0 (Canary agent-1-1)')`)
	require.NoError(t, os.WriteFile(log, []byte("moc.elpmaxe@1-1-yranac\n"), 0o600))
	leaks, err = Leaks(t.Context(), sources, canaries[:2])
	require.NoError(t, err)
	var found []string
	for _, leak := range leaks {
		found = append(found, leak.Source+" "+leak.Form)
	}
	assert.Equal(t, []string{"topic events.authorized.analytics raw", "table events raw", "file " + log + " reversed"}, found)
}

func TestBooksSayWhetherTheyBalance(t *testing.T) {
	l := healthy()
	var out bytes.Buffer
	require.NoError(t, l.Compute().WriteJSON(&out))
	assert.Contains(t, out.String(), `"balanced": true`)
	l.Accept("new")
	l.Wait("new", Everywhere)
	out.Reset()
	require.NoError(t, l.Compute().WriteTable(&out))
	assert.Contains(t, out.String(), "balanced so far")
	books := l.Compute()
	books.Leaks = []Leak{{Source: "s", Field: "f", Form: "hex", Times: 1}}
	out.Reset()
	require.NoError(t, books.WriteTable(&out))
	assert.Contains(t, out.String(), "LEAK s: the canary of f, hex, 1 times")
	assert.Contains(t, out.String(), "do not balance")
}
