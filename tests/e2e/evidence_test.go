package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
)

const (
	inbound    = "inbound.events"
	raw        = "events.raw"
	validated  = "events.validated"
	analytics  = "events.authorized.analytics"
	warehouse  = "events.authorized.warehouse"
	activation = "events.authorized.activation"
	dlq        = "events.dlq"
	decisions  = "privacy.decisions"
)

// hops are the stages before the sinks.
func (h *house) hops() []books.Stage {
	plan := h.plan()
	return slices.Concat(plan.Accepted, plan.Hops)
}

// plan is where the shipped streams keep what.
func (h *house) plan() books.Plan {
	return books.DefaultPlan(h.ws.Topics, []books.Stage{
		{Topic: inbound, Group: "ebbgate-ingest-events"},
		{Topic: "inbound.github", Group: "ebbgate-ingest-brokered"},
		{Topic: "inbound.webhooks", Group: "ebbgate-ingest-webhooks"},
	}, "analytics")
}

// produce brings records onto their topics and returns when they are durable.
func (h *house) produce(records ...*kgo.Record) {
	h.t.Helper()
	require.NoError(h.t, h.client.ProduceSync(h.ctx(), records...).FirstErr())
}

// publish brings events onto a topic, each keyed by its number.
func (h *house) publish(topic string, events ...string) {
	h.t.Helper()
	records := make([]*kgo.Record, len(events))
	for i, text := range events {
		records[i] = &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "%d", i), Value: []byte(text)}
	}
	h.produce(records...)
}

// records returns everything a topic holds now.
func (h *house) records(topic string) (out []*kgo.Record) {
	h.t.Helper()
	require.NoError(h.t, books.EachRecord(h.ctx(), h.options, h.admin, topic, func(r *kgo.Record) { out = append(out, r) }))
	return out
}

// end is how many records a topic has ever taken.
func (h *house) end(topic string) (n int64, err error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
	defer cancel()
	ends, err := h.admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n, err
}

// lag is how many records of a topic a group has not settled yet.
func (h *house) lag(s books.Stage) (n int64, err error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
	defer cancel()
	ends, err := h.admin.ListEndOffsets(ctx, s.Topic)
	if err != nil {
		return 0, err
	}
	committed, err := h.admin.FetchOffsets(ctx, s.Group)
	if err != nil {
		return 0, err
	}
	ends.Each(func(end kadm.ListedOffset) {
		at := int64(0)
		if done, ok := committed.Lookup(end.Topic, end.Partition); ok {
			at = max(0, done.At)
		}
		n += end.Offset - at
	})
	return n, nil
}

// drained waits until the groups have settled everything, looked at in the order events pass them; without arguments it
// waits for all of the shipped ones.
func (h *house) drained(stages ...books.Stage) {
	h.t.Helper()
	if len(stages) == 0 {
		stages = h.plan().Flow()
	}
	left := ""
	h.until(func() bool {
		left = ""
		for _, s := range stages {
			if n, err := h.lag(s); n != 0 || err != nil {
				left += fmt.Sprintf(" %s before %s: %d %v;", s.Topic, s.Group, n, err)
			}
		}
		return left == ""
	}, func() string { return "not drained:" + left })
}

// count runs a query that gives one number.
func (h *house) count(query string, args ...any) int {
	h.t.Helper()
	var n uint64
	require.NoError(h.t, h.conn.QueryRow(h.ctx(), query, args...).Scan(&n))
	return int(n)
}

// codes counts what lies in quarantine.
func (h *house) codes() map[string]int {
	h.t.Helper()
	counts := map[string]int{}
	for _, rec := range h.records(dlq) {
		counts[header(rec, "code")]++
	}
	return counts
}

func header(rec *kgo.Record, name string) string {
	for _, hd := range rec.Headers {
		if hd.Key == name {
			return string(hd.Value)
		}
	}
	return ""
}

// balance closes the books and holds that every accepted event came to one end, at most once, with nothing under way.
// Rows are counted as they lie in the table, without FINAL.
func (h *house) balance() *books.Row {
	h.t.Helper()
	ledger, err := books.Collect(h.ctx(), h.options, h.plan(), books.ClickHouseSink(h.conn, "analytics", "events"))
	require.NoError(h.t, err)
	closed := ledger.Compute()
	var text strings.Builder
	require.NoError(h.t, closed.WriteTable(&text))
	assert.True(h.t, closed.Balanced() && closed.Drained(), "%s", text.String())
	row, ok := closed.Row("analytics")
	require.True(h.t, ok)
	assert.Equal(h.t, h.count("SELECT uniqExact(event_id, topic, partition, offset) FROM events"), h.count("SELECT count() FROM events"), "a record is in the table twice")
	return row
}

// rows gives how often each event id is in the table.
func (h *house) rows() map[string]int {
	h.t.Helper()
	found, err := h.conn.Query(h.ctx(), "SELECT event_id, count() FROM events GROUP BY event_id")
	require.NoError(h.t, err)
	defer found.Close()
	out := map[string]int{}
	for found.Next() {
		var id string
		var n uint64
		require.NoError(h.t, found.Scan(&id, &n))
		out[id] = int(n)
	}
	require.NoError(h.t, found.Err())
	return out
}
