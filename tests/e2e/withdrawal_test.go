package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/books"
)

// ClickHouse is down and sealed events wait for it. One person withdraws consent. When ClickHouse is back nothing of hers
// goes in, now or in a replay, and everything of the others does.
func TestWithdrawalReachesEventsThatWait(t *testing.T) {
	const events, people, her = 1000, 40, "u_7"
	h := newHouseWithServer(t)
	h.server.Kill()
	running := h.pipelines()
	var texts, hers []string
	want := map[string]int{}
	for i := range events {
		id, user := fmt.Sprintf("evt_%d", i), fmt.Sprintf("u_%d", i%people)
		texts = append(texts, view(id, user))
		if user == her {
			hers = append(hers, id)
			continue
		}
		want[id] = 1
	}
	h.publish(inbound, texts...)
	h.drained(h.hops()...)
	end, err := h.end(analytics)
	require.NoError(t, err)
	require.EqualValues(t, events, end)

	require.Contains(t, h.must("consent", "set", "--user-id", her, "analytics=false"), "version 1")
	h.server.Start(t)
	h.drained()
	require.Equal(t, want, h.rows())
	require.Equal(t, len(hers), h.count("SELECT toUInt64(sum(denied_at_export)) FROM ebbgate_chunks FINAL"))
	require.Equal(t, hers, h.withheld("consent.withdrawn.analytics"))
	require.Equal(t, len(hers), h.balance().Denied)
	running.stop()

	// The same streams again, over all that was ever validated.
	h.replace("pipelines/streams/govern.yaml", "consumer_group: ebbgate-govern", "consumer_group: ebbgate-govern-again")
	h.pipelines()
	h.drained(books.Stage{Topic: validated, Group: "ebbgate-govern-again"}, books.Stage{Topic: analytics, Group: "ebbgate-analytics"})
	require.Equal(t, want, h.rows())
	denials := map[string]int{}
	for _, rec := range h.records(decisions) {
		var d struct {
			EventID     string `json:"event_id"`
			Destination string
			Reason      string
			Stage       string
		}
		require.NoError(t, json.Unmarshal(rec.Value, &d))
		if d.Destination == "analytics" {
			require.Contains(t, hers, d.EventID)
			require.Equal(t, "consent.withdrawn.analytics", d.Reason)
			denials[d.Stage]++
		}
	}
	require.Equal(t, map[string]int{"export": len(hers), "govern": len(hers)}, denials)
	end, err = h.end(analytics)
	require.NoError(t, err)
	require.EqualValues(t, 2*events-len(hers), end, "what was sealed once more is the others'")
}

// withheld lists the events the sink held back for a reason, in the order of their numbers.
func (h *house) withheld(reason string) (ids []string) {
	h.t.Helper()
	rows, err := h.conn.Query(h.ctx(), `SELECT id FROM ebbgate_chunks FINAL ARRAY JOIN denied_events AS id, denied_reasons AS reason
		WHERE reason = $1 ORDER BY length(id), id`, reason)
	require.NoError(h.t, err)
	defer rows.Close()
	for rows.Next() {
		var id string
		require.NoError(h.t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(h.t, rows.Err())
	return ids
}
