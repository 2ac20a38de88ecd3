package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/postgres"
)

// A tombstone stays until Stitch must have read it, a row until its retention is over, and neither goes by being counted.
func TestPurgeTakesWhatHasOutlivedItsTime(t *testing.T) {
	a, dsn := area(t), plugtest.Postgres(t)
	conn := connect(t, dsn)
	_, err := postgres.Apply(t.Context(), conn, a, false)
	require.NoError(t, err)
	day := 24 * time.Hour
	row := func(id string, age time.Duration, deleted *time.Duration) {
		args := pgx.NamedArgs{"id": id, "at": time.Now().Add(-age), "gone": nil, "reason": nil}
		if deleted != nil {
			args["gone"], args["reason"] = time.Now().Add(-*deleted), "erasure"
		}
		_, err := conn.Exec(t.Context(), `INSERT INTO stitch_stage.marketing_events (event_id, event_name, policy_version, relied_on, data_class, batch_id,
			source_topic, source_partition, source_offset, occurred_at, is_deleted, deleted_at, deletion_reason)
			VALUES (@id, 'form_submitted', 'v', '', 'marketing', 'b', 't', 0, 0, @at, @gone::timestamptz IS NOT NULL, @gone, @reason)`, args)
		require.NoError(t, err)
	}
	old, young := 36*day, 34*day
	row("tombstone, read", 40*day, &old)
	row("tombstone, not yet", 40*day, &young)
	row("row, kept", 179*day, nil)
	row("row, over", 181*day, nil)

	for _, commit := range []bool{false, true} {
		removed, err := postgres.Purge(t.Context(), conn, commit)
		require.NoError(t, err)
		require.EqualValues(t, 2, removed)
	}
	found, err := conn.Query(t.Context(), "SELECT event_id FROM stitch_stage.marketing_events ORDER BY 1")
	require.NoError(t, err)
	left, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"row, kept", "tombstone, not yet"}, left)

	writer := connect(t, as(t, dsn, a.Writer))
	_, err = postgres.Purge(t.Context(), writer, true)
	require.ErrorContains(t, err, "permission denied")
}
