package staging

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/ebbgate/ebbgate/internal/staging"
)

// inGate runs work in one transaction behind the gate, which makes the order in which transactions become visible that of
// their row_seq. Read committed is what the checks rest on: each statement sees what was committed before the gate opened.
func (o *output) inGate(ctx context.Context, work func(context.Context, pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.timeout)
	defer cancel()
	conn, err := o.pool.Acquire(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer conn.Release()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return unavailable(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if _, err := tx.Exec(ctx, "SELECT stage_internal.begin_batch()"); err != nil {
		return unavailable(err)
	}
	if err := work(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		// Whether it is in is not known. The chunk comes again and finds out, for rows are known by what they are about.
		return unavailable(err)
	}
	return nil
}

// deliver brings a chunk of sealed records to its end.
func (o *output) deliver(ctx context.Context, c *chunk) error {
	known := false
	err := o.inGate(ctx, func(ctx context.Context, tx pgx.Tx) error {
		erased, err := o.erased(ctx, tx, c)
		if err != nil {
			return err
		}
		if err := o.judge(ctx, c, erased); err != nil {
			return err
		}
		tables, err := o.build(c)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if err := o.merge(ctx, tx, t); err != nil {
				return err
			}
		}
		known, err = o.advance(ctx, tx, c)
		return err
	})
	if err == nil && !known {
		o.metrics.delivered(c)
	}
	return err
}

// erased tells which subjects of the chunk the area has erased. The state topics say so as well; this holds when they
// were lost.
func (o *output) erased(ctx context.Context, tx pgx.Tx, c *chunk) (map[string]bool, error) {
	keys := map[string]bool{}
	for i := range c.records {
		for _, key := range c.records[i].subjects() {
			keys[key] = false
		}
	}
	list := make([]string, 0, len(keys))
	for key := range keys {
		list = append(list, key)
	}
	return keys, o.each(ctx, tx, "SELECT subject FROM stage_internal.erased_subjects WHERE subject = ANY ($1)", []any{list}, func(rows pgx.Rows) error {
		var key string
		err := rows.Scan(&key)
		keys[key] = true
		return err
	})
}

func (o *output) each(ctx context.Context, tx pgx.Tx, sql string, args []any, scan func(pgx.Rows) error) error {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return unavailable(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return unavailable(err)
		}
	}
	if err := rows.Err(); err != nil {
		return unavailable(err)
	}
	return nil
}

// merge copies the rows of one dataset into the session's table and brings them in.
func (o *output) merge(ctx context.Context, tx pgx.Tx, t *table) error {
	if len(t.order) == 0 {
		return nil
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{t.set.Incoming()}, t.names, pgx.CopyFromSlice(len(t.order), func(i int) ([]any, error) { return t.order[i].values, nil }))
	if err != nil {
		return unavailable(err)
	}
	tag, err := tx.Exec(ctx, o.cfg.area.Merge(t.set))
	if err != nil {
		return unavailable(err)
	}
	o.metrics.merged(t.set.Name, tag.RowsAffected(), int64(len(t.order)))
	return o.link(ctx, tx, t)
}

// link notes whom the rows are about.
func (o *output) link(ctx context.Context, tx pgx.Tx, t *table) error {
	var subjects, rows []string
	for _, r := range t.order {
		slices.Sort(r.subjects)
		for _, subject := range slices.Compact(r.subjects) {
			subjects, rows = append(subjects, subject), append(rows, r.key)
		}
	}
	_, err := tx.Exec(ctx, "INSERT INTO stage_internal.row_subjects (subject, dataset, row_id) SELECT s, $1, r FROM unnest($2::text[], $3::text[]) AS u (s, r) ON CONFLICT DO NOTHING", t.set.Name, subjects, rows)
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// advance notes how far the partition is in and how its records ended. It tells whether the chunk was in before: then
// nothing is counted a second time.
func (o *output) advance(ctx context.Context, tx pgx.Tx, c *chunk) (known bool, err error) {
	var next int64
	err = tx.QueryRow(ctx, "SELECT next_offset FROM stage_internal.source_offsets WHERE source_topic = $1 AND source_partition = $2 AND replay_epoch = $3",
		c.of.Topic, c.of.Partition, int64(c.of.ReplayEpoch)).Scan(&next)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return false, unavailable(err)
	}
	if c.of.Last < next {
		return true, nil
	}
	var delivered, denied int64
	for i := range c.records {
		switch r := &c.records[i]; {
		case r.ref.Offset < next:
		case r.denied != "":
			denied++
		default:
			delivered++
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO stage_internal.source_offsets AS s (source_topic, source_partition, replay_epoch, next_offset, delivered, denied, settled)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (source_topic, source_partition, replay_epoch) DO UPDATE SET next_offset = excluded.next_offset,
			delivered = s.delivered + excluded.delivered, denied = s.denied + excluded.denied, settled = s.settled + excluded.settled, updated_at = clock_timestamp()`,
		c.of.Topic, c.of.Partition, int64(c.of.ReplayEpoch), c.of.Last+1, delivered, denied, int64(c.settled))
	if err != nil {
		return false, unavailable(err)
	}
	return false, nil
}

// session gives a new connection the tables into which rows are copied.
func session(area *staging.Area) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, conn *pgx.Conn) error {
		for _, d := range area.Datasets {
			if d.Kind == staging.Aggregate {
				continue
			}
			if _, err := conn.Exec(ctx, area.MakeIncoming(d)); err != nil {
				return fmt.Errorf("making the session's table for %s: %w", d.Name, err)
			}
		}
		return nil
	}
}
