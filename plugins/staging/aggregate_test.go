package staging

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
)

const cells = "SELECT concat_ws('|', metric_date, campaign_id, channel, touches, people, spend_micros, is_final, is_deleted) FROM stitch_stage.campaign_performance ORDER BY campaign_id"

func TestAggregatesFollowWhatTheyCount(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(0, 1), touched(1, 2), touched(2, 3), touched(3, 4))))
	require.Empty(t, s.texts(t, cells), "a cell of four people is not shown")
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(4, 5), touched(5, 5), touched(6, 6))))
	require.Equal(t, []string{"2026-04-13|spring|email|7|6|1750000|f|f"}, s.texts(t, cells))

	before := s.sequences(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkAt(0, 1, touched(0, 1), touched(4, 5))))
	require.Equal(t, before, s.sequences(t), "a replay restates nothing")

	s.set(user(5), consent.State{Erased: &consent.Erasure{RequestID: "req_1"}})
	require.NoError(t, o.WriteBatch(t.Context(), changed("privacy.erasures", 0, user(5))))
	require.Equal(t, []string{"2026-04-13|spring|email|5|5|1250000|f|f"}, s.texts(t, cells), "an erasure reduces")
	s.set(user(6), withdrawn("marketing"))
	require.NoError(t, o.WriteBatch(t.Context(), changed("privacy.consent", 0, user(6))))
	require.Equal(t, []string{"2026-04-13|spring|email|f|t"}, s.texts(t, cells), "a cell that has become small is emptied")
}

func TestAFinalCellTakesNoLateEventsAndStillShrinks(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(0, 1), touched(1, 2), touched(2, 3), touched(3, 4), touched(4, 5), touched(5, 6))))
	s.exec(t, "ALTER TABLE stitch_stage.campaign_performance DISABLE TRIGGER stamp; UPDATE stitch_stage.campaign_performance SET staged_at = now() - interval '30 days'; ALTER TABLE stitch_stage.campaign_performance ENABLE TRIGGER stamp")
	s.exec(t, "UPDATE stitch_stage.campaign_performance SET is_final = true")
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(6, 7))))
	require.Equal(t, []string{"2026-04-13|spring|email|6|6|1500000|t|f"}, s.texts(t, cells), "late")
	s.set(user(1), consent.State{Erased: &consent.Erasure{RequestID: "req_1"}})
	s.set(user(2), consent.State{Erased: &consent.Erasure{RequestID: "req_1"}})
	require.NoError(t, o.WriteBatch(t.Context(), changed("privacy.erasures", 0, user(1), user(2))))
	require.Equal(t, []string{"2026-04-13|spring|email|5|5|1250000|t|f"}, s.texts(t, cells))
}
