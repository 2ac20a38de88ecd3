package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/books"
)

// What auditors read are the decisions on their topic, each once: through kill -9, through copies that a hop makes, and when
// everything is copied a second time.
func TestAuditHoldsEveryDecisionOnce(t *testing.T) {
	h := newHouse(t)
	var texts []string
	for i := range 1500 {
		texts = append(texts, view(fmt.Sprintf("evt_%d", i), fmt.Sprintf("u_%d", i%30)))
	}
	for i := range 10 {
		h.must("consent", "set", "--user-id", fmt.Sprintf("u_%d", i), "marketing=false")
	}
	running := h.pipelines()
	for round := range 3 {
		h.publish(inbound, texts[500*round:500*(round+1)]...)
		h.until(func() bool {
			end, err := h.end(decisions)
			return err == nil && int(end) > 150*round
		}, func() string { return "nothing is decided" })
		running.kill()
		running = h.pipelines()
	}
	h.drained()
	want, denied := h.decided()
	require.GreaterOrEqual(t, denied, 500, "a third of the people said no to marketing")
	require.Equal(t, want, h.audited())
	require.Equal(t, len(want), h.count("SELECT count() FROM audit_decision_rows"), "copies that hops make are dropped")
	require.Equal(t, denied, h.count("SELECT toUInt64(sum(denials)) FROM denials_by_day"))
	require.Equal(t, h.count("SELECT count() FROM decisions WHERE event_id = 'evt_0'"), h.count("SELECT count() FROM decisions_of(about = 'evt_0')"))
	running.stop()

	h.replace("pipelines/streams/compliance.yaml", "consumer_group: ebbgate-audit", "consumer_group: ebbgate-audit-again")
	h.pipelines()
	h.drained(books.Stage{Topic: decisions, Group: "ebbgate-audit-again"})
	require.Equal(t, want, h.audited())
	require.Equal(t, len(want), h.count("SELECT count() FROM audit_decision_rows"))
}

// decided are the decisions on the topic, each once, and how many of them are denials.
func (h *house) decided() (ids []string, denied int) {
	h.t.Helper()
	verdicts := map[string]string{}
	for _, rec := range h.records(decisions) {
		var d struct {
			ID      string `json:"decision_id"`
			Verdict string
		}
		require.NoError(h.t, json.Unmarshal(rec.Value, &d))
		verdicts[d.ID] = d.Verdict
	}
	for id, verdict := range verdicts {
		ids = append(ids, id)
		if verdict == "denied" {
			denied++
		}
	}
	slices.Sort(ids)
	return ids, denied
}

// audited are those an auditor reads.
func (h *house) audited() (ids []string) {
	h.t.Helper()
	rows, err := h.conn.Query(h.ctx(), "SELECT decision_id FROM decisions ORDER BY decision_id")
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
