package staging

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/postgres"
	"github.com/ebbgate/ebbgate/internal/stitch"
)

// differences compares what a reader has loaded with what is there now.
func (s *server) differences(t testing.TB, table string, primary string, loaded map[string]stitch.Row) (missing, stale int) {
	t.Helper()
	rows, err := s.root.Query(t.Context(), fmt.Sprintf("SELECT %s::text, row_seq FROM %s", primary, table))
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var key string
		var seq int64
		require.NoError(t, rows.Scan(&key, &seq))
		switch row, ok := loaded[key]; {
		case !ok:
			missing++
		case row[stitch.Key] != seq:
			stale++
		}
	}
	require.NoError(t, rows.Err())
	return missing, stale
}

// TestConcurrentWritersLoseNothing has writers that commit late, roll back and update the same rows, and a reader in a loop.
// Beside them the same kind of writers fill a table that is keyed by a plain sequence: the test must see it lose rows.
func TestConcurrentWritersLoseNothing(t *testing.T) {
	s := newServer(t)
	s.exec(t, "CREATE SCHEMA control; CREATE TABLE control.rows (id bigserial PRIMARY KEY, row_seq bigint NOT NULL DEFAULT nextval('control.rows_id_seq'))")
	s.exec(t, "GRANT USAGE ON SCHEMA control TO "+s.area.Reader+"; GRANT SELECT ON control.rows TO "+s.area.Reader)
	var writers, readers sync.WaitGroup
	var done atomic.Bool
	for w := range int32(8) {
		writers.Add(1)
		go func() { defer writers.Done(); s.write(t, w) }()
	}
	writers.Add(6)
	for range 6 {
		go func() { defer writers.Done(); s.writeControl(t) }()
	}
	gated, control := stitch.Reader{Schema: s.area.Schema}, stitch.Reader{Schema: "control"}
	var warehouse, lossy stitch.Destination
	readers.Add(1)
	go func() {
		defer readers.Done()
		conn := s.connect(t, s.area.Reader)
		for last := false; ; {
			if gated.Pull(t.Context(), conn, &warehouse) != nil || control.Pull(t.Context(), conn, &lossy) != nil {
				t.Error("the reader failed")
				return
			}
			if last {
				return
			}
			last = done.Load() // one more job once all is committed
		}
	}()
	writers.Wait()
	done.Store(true)
	readers.Wait()
	for _, table := range s.area.Tables() {
		missing, stale := s.differences(t, "stitch_stage."+table.Name, table.Primary[0], warehouse.Tables[table.Name])
		require.Zero(t, missing, "missing in %s", table.Name)
		require.Zero(t, stale, "stale in %s", table.Name)
	}
	require.Equal(t, 8*30*4, s.count(t, "stitch_stage.marketing_events"))
	missing, _ := s.differences(t, "control.rows", "id", lossy.Tables["rows"])
	require.Positive(t, missing, "a plain sequence must lose rows here, or this test sees nothing")
}

// write delivers chunks of one partition, and now and then holds the gate and gives up.
func (s *server) write(t *testing.T, partition int32) {
	o := s.output(t)
	conn := s.connect(t, s.area.Writer)
	for i := range int64(30) {
		var events []*sealedEvent
		for k := range int64(4) {
			offset := int64(partition)*10_000 + i*8 + k*2
			events = append(events, touched(offset, rand.Int64N(20)), signedUp(offset+1, rand.Int64N(20), "pro"))
		}
		if err := o.WriteBatch(t.Context(), chunkAt(partition, 0, events...)); err != nil {
			t.Error(err)
		}
		if i%5 == 0 {
			_, err := conn.Exec(t.Context(), "BEGIN; SELECT stage_internal.begin_batch(); UPDATE stitch_stage.customer_profiles SET country = 'XX'; SELECT pg_sleep(0.003); ROLLBACK")
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func (s *server) writeControl(t *testing.T) {
	conn := s.connect(t, "")
	for range 150 {
		_, err := conn.Exec(t.Context(), "BEGIN; INSERT INTO control.rows DEFAULT VALUES; SELECT pg_sleep(random() * 0.01); COMMIT")
		if err != nil {
			t.Error(err)
		}
	}
}

// TestAReaderThatIsCutGoesOn cuts its output anywhere and begins again from its last bookmark.
func TestAReaderThatIsCutGoesOn(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	for i := range int64(20) {
		require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(i*2, i), signedUp(i*2+1, i%3, "pro"))))
	}
	conn := s.connect(t, s.area.Reader)
	reader := stitch.Reader{Schema: s.area.Schema, Bookmarks: map[string]int64{}}
	var warehouse stitch.Destination
	tables, err := reader.Discover(t.Context(), conn)
	require.NoError(t, err)
	errCut := errors.New("cut")
	for _, table := range tables {
		for cuts := 0; ; cuts++ {
			left := 1 + rand.IntN(7)
			if err = reader.Sync(t.Context(), conn, table, func(row stitch.Row) error {
				if left--; left < 0 && cuts < 200 {
					return errCut
				}
				return warehouse.Load(table, row)
			}); err == nil {
				break
			}
			require.ErrorIs(t, err, errCut)
		}
		missing, stale := s.differences(t, "stitch_stage."+table.Name, table.Primary[0], warehouse.Tables[table.Name])
		require.Zero(t, missing+stale, table.Name)
	}
}

// TestARestoreDoesNotHideWhatIsWrittenAfterIt rewinds the sequence as a restore of an old backup does.
func TestARestoreDoesNotHideWhatIsWrittenAfterIt(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	var events []*sealedEvent
	for i := range int64(20) {
		events = append(events, touched(10+i, 1))
	}
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(events...)))
	var reader stitch.Reader
	var warehouse stitch.Destination
	s.pull(t, &reader, &warehouse)
	s.exec(t, "SELECT setval('stage_internal.row_seq', 1)")
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(1, 2))))
	s.pull(t, &reader, &warehouse)
	require.Contains(t, warehouse.Tables["marketing_events"], "evt_00000001")
}

// TestTheReaderSeesColumnsItCanTakeAlone holds what is really there against what every destination of Stitch takes.
func TestTheReaderSeesColumnsItCanTakeAlone(t *testing.T) {
	s := newServer(t)
	require.Empty(t, s.texts(t, `SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns WHERE table_schema = 'stitch_stage'
		AND (data_type NOT IN ('text', 'bigint', 'integer', 'boolean', 'timestamp with time zone', 'date') OR column_name !~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$' OR length(column_name) > 55)`))
	conn := s.connect(t, s.area.Reader)
	reader := stitch.Reader{Schema: s.area.Schema}
	tables, err := reader.Discover(t.Context(), conn)
	require.NoError(t, err)
	require.Len(t, tables, len(s.area.Datasets)+1)
	for _, table := range tables {
		require.Len(t, table.Primary, 1, table.Name)
		require.Contains(t, table.Columns, stitch.Key)
	}
}

// TestKillsOfPostgresLoseNothing kills the server while chunks come and a reader pulls.
func TestKillsOfPostgresLoseNothing(t *testing.T) {
	p := plugtest.PostgresProcess(t)
	s := serverAt(t, p.PostgresDSN())
	const chunks = 150
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var written atomic.Int64
	writer := make(chan error, 1)
	o := s.unconnected(t)
	go func() {
		for i := int64(0); i < chunks; i++ {
			for o.WriteBatch(ctx, chunkOf(touched(i*2, i%9), signedUp(i*2+1, i%9, "pro"))) != nil {
				if ctx.Err() != nil {
					writer <- ctx.Err()
					return
				}
			}
			written.Add(1)
		}
		writer <- nil
	}()
	reader := stitch.Reader{Schema: s.area.Schema}
	var warehouse stitch.Destination
	for kills := int64(1); kills <= 6; kills++ {
		for written.Load() < kills*chunks/8 {
			require.NoError(t, ctx.Err())
			if conn, err := pgx.Connect(ctx, s.as(s.area.Reader)); err == nil {
				_ = reader.Pull(ctx, conn, &warehouse) // a job that a kill cuts goes on in the next
				conn.Close(ctx)
			}
		}
		p.Kill()
		p.Start(t)
	}
	require.NoError(t, <-writer)
	s.root = s.connect(t, "")
	s.pull(t, &reader, &warehouse)
	require.Equal(t, chunks, s.count(t, "stitch_stage.marketing_events"))
	require.Equal(t, []string{fmt.Sprint(2 * chunks)}, s.texts(t, "SELECT delivered::text FROM stage_internal.source_offsets"))
	for _, table := range s.area.Tables() {
		missing, stale := s.differences(t, "stitch_stage."+table.Name, table.Primary[0], warehouse.Tables[table.Name])
		require.Zero(t, missing+stale, table.Name)
	}
	plan, err := postgres.MakePlan(t.Context(), s.root, s.area, false)
	require.NoError(t, err)
	require.Empty(t, plan.Changes)
}
