package books

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// ClickHouseSink counts a destination's rows by event id, and takes the sink's own totals from its chunk records.
// conn's database holds the events table and ebbgate_chunks; conn stays the caller's.
func ClickHouseSink(conn driver.Conn, destination, table string) Sink {
	return func(ctx context.Context, into *Ledger) error {
		if err := countRows(ctx, conn, destination, table, into); err != nil {
			return err
		}
		if err := countWithheld(ctx, conn, destination, into); err != nil {
			return err
		}
		return countChunks(ctx, conn, destination, table, into)
	}
}

func countRows(ctx context.Context, conn driver.Conn, destination, table string, into *Ledger) error {
	rows, err := conn.Query(ctx, "SELECT event_id, count() FROM "+quoted(table)+" GROUP BY event_id")
	if err != nil {
		return fmt.Errorf("counting rows of %s: %w", table, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var n uint64
		if err := rows.Scan(&id, &n); err != nil {
			return fmt.Errorf("counting rows of %s: %w", table, err)
		}
		into.Deliver(id, destination, int(n))
	}
	return rows.Err()
}

func countWithheld(ctx context.Context, conn driver.Conn, destination string, into *Ledger) error {
	rows, err := conn.Query(ctx, `SELECT id, reason FROM ebbgate_chunks FINAL
		ARRAY JOIN denied_events AS id, denied_reasons AS reason WHERE destination = $1`, destination)
	if err != nil {
		return fmt.Errorf("listing what was denied at export: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, reason string
		if err := rows.Scan(&id, &reason); err != nil {
			return fmt.Errorf("listing what was denied at export: %w", err)
		}
		into.Deny(id, destination, reason)
	}
	return rows.Err()
}

func countChunks(ctx context.Context, conn driver.Conn, destination, table string, into *Ledger) error {
	var rows, delivered, denied, repeated, settled uint64
	row := conn.QueryRow(ctx, `SELECT (SELECT count() FROM `+quoted(table)+`), sum(delivered), sum(denied_at_export),
		sum(repeated), sum(settled) FROM ebbgate_chunks FINAL WHERE destination = $1`, destination)
	if err := row.Scan(&rows, &delivered, &denied, &repeated, &settled); err != nil {
		return fmt.Errorf("summing the chunk records: %w", err)
	}
	into.Totals(destination, SinkTotals{
		Rows: int(rows), Delivered: int(delivered), DeniedAtExport: int(denied), Repeated: int(repeated), Settled: int(settled),
	})
	return nil
}

// ClickHouseSource is a table as a place to search for canaries: every column of every row, unescaped.
func ClickHouseSource(conn driver.Conn, table string) Source {
	return Source{Name: "table " + table, Read: func(ctx context.Context) (io.ReadCloser, error) {
		rows, err := conn.Query(ctx, "SELECT formatRow('TSVRaw', *) FROM "+quoted(table))
		if err != nil {
			return nil, fmt.Errorf("reading table %s: %w", table, err)
		}
		return stream(func(w io.Writer) error {
			defer rows.Close()
			for rows.Next() {
				var line string
				if err := rows.Scan(&line); err != nil {
					return fmt.Errorf("reading table %s: %w", table, err)
				}
				if _, err := io.WriteString(w, line); err != nil {
					return err
				}
			}
			return rows.Err()
		}), nil
	}}
}

func quoted(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}
