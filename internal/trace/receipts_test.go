package trace_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/trace"
)

// door is a house whose webhook door has taken deliveries.
func door(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	res, err := kadm.NewClient(h.client).CreateTopic(h.ctx(), 2, 1, nil, "ingest.receipts")
	require.NoError(t, err)
	require.NoError(t, res.Err)
	return h
}

// attempt writes a receipt, and the raw record of an accepted one.
func (h *house) attempt(source, eventID string, status int) *receipt.Receipt {
	h.t.Helper()
	r := &receipt.Receipt{
		ID: receipt.NewID(), Source: source, Scheme: "stripe", EventID: eventID, Delivery: "p_" + eventID, Correlation: "req_" + receipt.NewID(),
		Verification: receipt.Verified, BodySHA256: receipt.SumBody(nil), Remote: "public", Status: status,
	}
	if status == 200 {
		raw := h.put("inbound.webhooks", `{"p":"canary"}`)
		r.Raw = &receipt.Ref{Topic: raw.Topic, Partition: raw.Partition, Offset: raw.Offset}
	} else {
		r.Verification, r.EventID, r.Delivery = "bad_signature", "", ""
	}
	r.At = h.clock
	value, err := r.Append(nil)
	require.NoError(h.t, err)
	h.put("ingest.receipts", string(value))
	return r
}

// made are the lineage headers of what a delivery became.
func made(r *receipt.Receipt, id string) []string {
	return []string{"event_id", id, "src_topic", "inbound.webhooks", "src_partition", "1", "src_offset", []string{"0", "1", "2", "3"}[r.Raw.Offset]}
}

// Every attempt of the test has the same body.
func TestOtherEventsWithTheSameBodyAreFound(t *testing.T) {
	h := door(t)
	first := h.attempt("github", "evt_1", 200)
	h.attempt("github", "evt_1", 200) // a retry
	h.attempt("stripe", "evt_2", 200) // of another source
	h.attempt("github", "", 401)      // nobody signed it
	captured := h.attempt("github", "evt_3", 200)
	list, err := trace.ListReceipts(h.ctx(), trace.Wanted{BodyOf: first}, h.opts)
	require.NoError(t, err)
	require.Len(t, list.Receipts, 1)
	require.Equal(t, captured.ID, list.Receipts[0].ID)
}

func TestATraceStartsFromAReceipt(t *testing.T) {
	h := door(t)
	first := h.attempt("billing", "evt_1", 200)
	again := h.attempt("billing", "evt_1", 200)
	refused := h.attempt("billing", "", 401)
	list := h.attempt("mail", "evt_list", 200)
	waits := h.attempt("billing", "evt_2", 200)
	question := h.attempt("chat", "", 200)
	question.Raw = nil
	h.put("ingest.receipts", "no receipt: canary")

	h.put("events.raw", `{}`, made(first, "evt_1")...)
	h.put("events.raw", `{}`, made(list, "evt_a")...)
	h.put("events.raw", `{}`, made(list, "evt_b")...)
	q := &quarantine.Record{EventID: "evt_c", Code: "event.syntax", Stage: "ingest", Attempts: 1, First: h.clock, Last: h.clock, Ref: quarantine.Ref{Topic: "inbound.webhooks", Partition: 1, Offset: list.Raw.Offset}}
	h.put("events.dlq", string(q.Append(nil)), "event_id", "evt_c")
	h.put("events.validated", `{}`, made(list, "evt_b")...)

	found := h.find(first.ID)
	require.Equal(t, first.ID, found.Receipt().ID)
	require.Equal(t, trace.BecameEvent, found.Became(first))
	require.Equal(t, "received, accepted", steps(found.Events[0]))

	found = h.find(again.ID)
	require.Equal(t, "evt_1", found.Events[0].EventID)
	require.Equal(t, trace.BecameDuplicate, found.Became(again))

	found = h.find(refused.Correlation)
	require.Nil(t, found.Receipt(), "another id was looked up")
	require.Len(t, found.Receipts, 1)
	require.Empty(t, found.Events)
	require.Equal(t, trace.BecameRefused, found.Became(refused))

	found = h.find(waits.ID)
	require.Equal(t, trace.BecameWaiting, found.Became(waits))
	require.Equal(t, trace.BecameAnswered, found.Became(question))

	// A list became several events of other ids than its own.
	found = h.find(list.ID)
	require.Equal(t, trace.BecameEvent, found.Became(list))
	var ids []string
	for _, e := range found.Events {
		ids = append(ids, e.EventID+": "+steps(e))
	}
	require.Equal(t, []string{"evt_a: received, accepted", "evt_b: received, accepted, stored", "evt_c: received, quarantined *"}, ids)

	require.Len(t, h.find("p_evt_1").Receipts, 2, "by the provider's id, every attempt")
}

func TestReceiptsAreListed(t *testing.T) {
	h := door(t)
	for range 3 {
		h.attempt("billing", "evt_1", 200)
	}
	h.attempt("mail", "", 401)
	h.put("ingest.receipts", "no receipt")
	for name, c := range map[string]struct {
		want    trace.Wanted
		matched int
	}{
		"all":          {trace.Wanted{}, 4},
		"source":       {trace.Wanted{Source: "billing"}, 3},
		"verification": {trace.Wanted{Verification: "bad_signature"}, 1},
		"status":       {trace.Wanted{Status: 401}, 1},
		"id":           {trace.Wanted{ID: "p_evt_1"}, 3},
		"until":        {trace.Wanted{Until: h.clock.Add(-4 * time.Second)}, 2},
		"limit":        {trace.Wanted{Source: "billing", Limit: 2}, 3},
	} {
		list, err := trace.ListReceipts(h.ctx(), c.want, h.opts)
		require.NoError(t, err)
		require.Equal(t, c.matched, list.Matched, name)
		require.Equal(t, 1, list.Unreadable)
		if c.want.Limit > 0 {
			require.Len(t, list.Receipts, c.want.Limit)
			require.True(t, list.Receipts[0].At.Before(list.Receipts[1].At), "the newest, in order")
			require.Equal(t, h.clock.Add(-3*time.Second), list.Receipts[1].At.UTC())
		}
	}
}
