package gate

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/clickhouse/schema"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// inBothLanes runs a test with a message of the engine per event, and with one per chunk.
func inBothLanes(t *testing.T, test func(t *testing.T, packed bool)) {
	for name, packed := range map[string]bool{"events": false, "packed": true} {
		t.Run(name, func(t *testing.T) { test(t, packed) })
	}
}

// fused judges, redacts and delivers in one stream.
func (h *house) fused(packed bool, dsn, records string) string {
	return fmt.Sprintf(`
input:
  redpanda:
    seed_brokers: [ %[1]q ]
    topics: [ events.validated ]
    consumer_group: fused
    packed: %[4]t
pipeline:
  processors:
    - consent: { state: { seed_brokers: [ %[1]q ] } }
    - redact: {}
output:
  clickhouse:
    dsn: %[2]s
    destination: analytics
    state: { seed_brokers: [ %[1]q ] }
%[3]s`, h.seeds[0], dsn, records, packed)
}

func (h *house) tables() (dsn string, client *clickhouse.Client) {
	h.t.Helper()
	dsn = plugtest.ClickHouse(h.t)
	client, err := clickhouse.Open(clickhouse.Options{DSN: dsn, Timeout: time.Minute})
	require.NoError(h.t, err)
	h.t.Cleanup(func() { require.NoError(h.t, client.Close()) })
	migrations, _, err := schema.LoadFiles(os.DirFS("pipelines/clickhouse"))
	require.NoError(h.t, err)
	for _, m := range migrations {
		for _, statement := range m.Statements {
			require.NoError(h.t, client.Exec(h.ctx(), statement))
		}
	}
	return dsn, client
}

func (h *house) rows(client *clickhouse.Client) (ids []string) {
	h.t.Helper()
	require.NoError(h.t, client.Query(h.ctx(), "SELECT event_id FROM events ORDER BY event_id", nil, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}))
	return ids
}

// One stream, from validated events to rows: what is no row goes where its stage addressed it, and nothing is lost.
func TestOneStreamJudgesAndDelivers(t *testing.T) {
	inBothLanes(t, oneStreamJudgesAndDelivers)
}

func oneStreamJudgesAndDelivers(t *testing.T, packed bool) {
	h := newHouse(t)
	dsn, client := h.tables()
	h.publish("events.validated", form("evt_1", "u_1", yes), form("evt_2", "u_2", noConsent), `{"event_name":1,"event_name":2}`, form("evt_4", "u_4", yes))
	h.stream(h.fused(packed, dsn, fmt.Sprintf(`    records:
      redpanda:
        seed_brokers: [ %q ]
        topic: ${! @topic }
`, h.seeds[0])))
	h.drained("fused", "events.validated")

	require.Equal(t, []string{"evt_1", "evt_4"}, h.rows(client))
	require.Equal(t, map[string]int{"event.duplicate_name": 1}, h.codes())
	require.True(t, h.holds("evt_2", "privacy.decisions"), "the denial is on record")
	require.Empty(t, h.read("events.authorized.analytics"), "what becomes a row takes no topic")
	require.Len(t, h.read("events.authorized.warehouse"), 2, "other destinations get theirs")
	require.Len(t, h.read("events.authorized.activation"), 2)
	require.False(t, h.holds(secret, "events.authorized.warehouse", "events.dlq", "privacy.decisions"))
}

// A row that the table refuses is in quarantine for its destination alone, and the chunk's account still closes.
func TestOneStreamQuarantinesForItsDestinationAlone(t *testing.T) {
	inBothLanes(t, oneStreamQuarantinesForItsDestinationAlone)
}

func oneStreamQuarantinesForItsDestinationAlone(t *testing.T, packed bool) {
	h := newHouse(t)
	dsn, client := h.tables()
	require.NoError(t, client.Exec(h.ctx(), "ALTER TABLE events ADD CONSTRAINT no_two CHECK event_id != 'evt_2'"))
	for _, id := range []string{"evt_1", "evt_2", "evt_3"} {
		h.produce(&kgo.Record{Topic: "events.validated", Key: []byte("k"), Value: []byte(form(id, "u_1", yes))})
	}
	h.stream(h.fused(packed, dsn, fmt.Sprintf(`    records:
      redpanda:
        seed_brokers: [ %q ]
        topic: ${! @topic }
`, h.seeds[0])))
	h.drained("fused", "events.validated")

	require.Equal(t, []string{"evt_1", "evt_3"}, h.rows(client))
	records := h.read("events.dlq")
	require.Len(t, records, 1)
	q, err := quarantine.ParseRecord(records[0].Value)
	require.NoError(t, err)
	require.Equal(t, "clickhouse.refused", q.Code)
	require.Equal(t, "analytics", q.Destination)
	for _, topic := range []string{"events.authorized.warehouse", "events.authorized.activation"} {
		ids := map[string]bool{}
		for _, rec := range h.read(topic) {
			ids[header(rec, "event_id")] = true
		}
		require.Len(t, ids, 3, topic)
	}
	var rows, delivered, settled uint64
	require.NoError(t, client.Query(h.ctx(), "SELECT sum(rows), sum(delivered), sum(settled) FROM ebbgate_chunks FINAL", nil, func(scan func(...any) error) error {
		return scan(&rows, &delivered, &settled)
	}))
	require.Equal(t, []uint64{3, 2, 1}, []uint64{rows, delivered, settled}, "what is settled is part of the chunk")
}

// Without a place for decisions the denial would be lost, so the chunk waits and nothing of it is quarantined.
func TestOneStreamWithoutAPlaceForDecisionsWaits(t *testing.T) {
	inBothLanes(t, oneStreamWithoutAPlaceForDecisionsWaits)
}

func oneStreamWithoutAPlaceForDecisionsWaits(t *testing.T, packed bool) {
	h := newHouse(t)
	dsn, client := h.tables()
	h.publish("events.validated", form("evt_1", "u_1", noConsent))
	stop := h.stream(h.fused(packed, dsn, ""))
	h.until(func() (handedOut bool) {
		committed, err := h.admin.FetchOffsets(h.ctx(), "fused")
		committed.Each(func(o kadm.OffsetResponse) { handedOut = handedOut || o.Metadata != "" })
		return err == nil && handedOut
	}, "the stage did not begin")
	stop()
	require.Empty(t, h.read("events.dlq"))
	require.Empty(t, h.rows(client))
	committed, err := h.admin.FetchOffsets(h.ctx(), "fused")
	require.NoError(t, err)
	committed.Each(func(o kadm.OffsetResponse) { require.LessOrEqual(t, o.At, int64(0), "the chunk is not done") })
}
