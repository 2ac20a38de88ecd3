// Package stitch pulls from a staging area as Stitch does, with the statements of the Singer tap: key-based incremental
// replication that begins at the last key it saw, inclusive, and an upsert destination. The tests and the demo use it; it is
// no loader.
package stitch

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Key is the replication key of every table of a staging area.
const Key = "row_seq"

// Reader is a tap: its state is one bookmark for each table. It is not safe for concurrent use.
type Reader struct {
	Schema    string
	Bookmarks map[string]int64
}

// Table is what discovery finds.
type Table struct {
	Name    string
	Columns []string
	Primary []string
}

// Row is one emitted row, by column.
type Row map[string]any

// Discover lists the tables the reader's role may read, with those columns it may read.
func (r *Reader) Discover(ctx context.Context, conn *pgx.Conn) ([]Table, error) {
	rows, err := conn.Query(ctx, `SELECT c.relname,
		array_agg(a.attname::text ORDER BY a.attnum),
		coalesce((SELECT array_agg(k.attname::text ORDER BY k.attnum) FROM pg_index i JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary), '{}')
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE n.nspname = $1 AND c.relkind IN ('r', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(c.oid, a.attname, 'SELECT')
		GROUP BY c.oid, c.relname ORDER BY c.relname`, r.Schema)
	if err != nil {
		return nil, fmt.Errorf("discovering tables: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Table])
}

// Sync emits every row of a table from the bookmark on. The bookmark is the key of the last row that was emitted, so a job
// that is cut goes on from there.
func (r *Reader) Sync(ctx context.Context, conn *pgx.Conn, table Table, emit func(Row) error) error {
	rows, err := conn.Query(ctx, r.statement(table))
	if err != nil {
		return fmt.Errorf("reading %s: %w", table.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return fmt.Errorf("reading %s: %w", table.Name, err)
		}
		row := Row{}
		for i, name := range table.Columns {
			row[name] = values[i]
		}
		if err := emit(row); err != nil {
			return err
		}
		if key, ok := row[Key].(int64); ok {
			r.Bookmarks[table.Name] = key
		}
	}
	return rows.Err()
}

// statement is the tap's: the bookmark is inclusive, and a bookmark of zero is none.
func (r *Reader) statement(table Table) string {
	where := ""
	if mark := r.Bookmarks[table.Name]; mark != 0 {
		where = fmt.Sprintf(` WHERE "%s" >= '%d'::bigint`, Key, mark)
	}
	return fmt.Sprintf(`SELECT "%s" FROM "%s"."%s"%s ORDER BY "%s" ASC`, strings.Join(table.Columns, `" , "`), r.Schema, table.Name, where, Key)
}

// Destination is a warehouse in upsert mode: one row for each primary key, the last one loaded.
type Destination struct {
	Tables map[string]map[string]Row
	Loaded map[string]int // rows that arrived, repeats included
}

// Load takes one row.
func (d *Destination) Load(table Table, row Row) error {
	if d.Tables == nil {
		d.Tables, d.Loaded = map[string]map[string]Row{}, map[string]int{}
	}
	if d.Tables[table.Name] == nil {
		d.Tables[table.Name] = map[string]Row{}
	}
	key := make([]string, len(table.Primary))
	for i, name := range table.Primary {
		key[i] = fmt.Sprint(row[name])
	}
	d.Tables[table.Name][strings.Join(key, "\x1f")] = row
	d.Loaded[table.Name]++
	return nil
}

// Pull runs one job: every table, from its bookmark, into the destination.
func (r *Reader) Pull(ctx context.Context, conn *pgx.Conn, into *Destination) error {
	if r.Bookmarks == nil {
		r.Bookmarks = map[string]int64{}
	}
	tables, err := r.Discover(ctx, conn)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := r.Sync(ctx, conn, t, func(row Row) error { return into.Load(t, row) }); err != nil {
			return err
		}
	}
	return nil
}
