package books

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// What cannot be read is counted and named by its place; everything else is copied all the same, under its event's name.
func TestCopyingOutcomesTellsWhatItCouldNotRead(t *testing.T) {
	dsn := plugtest.ClickHouse(t)
	conn, p := storeAt(t, dsn), newPipeline(t)
	broken := quarantine.New("contract.type", "", "validate", quarantine.Ref{Topic: "events.raw"}, "evt_1", nil, nil, time.Now())
	broken.EventName = "invoice_paid"
	p.put(p.plan.Quarantine, string(broken.Append(nil)))
	p.quarantine("evt_2", "event.syntax", position{"events.raw", 0, 1})
	elsewhere := consent.Decision{EventID: "evt_4", Destination: "warehouse", Verdict: "denied", Reason: "erased"}
	p.put(p.plan.Decisions, string(elsewhere.Append(nil)))
	allowed := consent.Decision{EventID: "evt_5", Destination: "analytics", Verdict: "allowed"}
	p.put(p.plan.Decisions, string(allowed.Append(nil)))
	p.deny("evt_3", "analytics", "consent.missing")
	var want []string
	for topic, values := range map[string][]string{
		p.plan.Quarantine: {"", "{", `{"event_id":"evt_6","surprise":1,"code":"event.syntax"}`},
		p.plan.Decisions:  {"null", `{"event_id":"evt_7"}`, `{"event_id":"evt_7","destination":"analytics"}`, `{"destination":"analytics","verdict":"denied"}`, `{"event_id":7}`, "text"},
	} {
		for _, value := range values {
			want = append(want, p.put(topic, value).String())
		}
	}

	client, err := clickhouse.Open(clickhouse.Options{DSN: dsn, Timeout: time.Minute})
	require.NoError(t, err)
	defer client.Close()
	copied, err := CopyOutcomes(t.Context(), p.options, p.plan, "analytics", client)
	require.NoError(t, err)
	require.Equal(t, 3, copied.Rows)
	require.Equal(t, len(want), copied.Unreadable)
	require.Len(t, copied.Examples, maxExamples)
	require.Subset(t, want, copied.Examples)
	rows, err := conn.Query(t.Context(), "SELECT concat(event_name, ' ', outcome, ' ', reason) FROM outcomes")
	require.NoError(t, err)
	defer rows.Close()
	var got []string
	for rows.Next() {
		var row string
		require.NoError(t, rows.Scan(&row))
		got = append(got, row)
	}
	require.ElementsMatch(t, []string{"invoice_paid quarantined contract.type", " quarantined event.syntax", " denied consent.missing"}, got)
}
