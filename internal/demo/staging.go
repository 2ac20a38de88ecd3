package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/staging"
	"github.com/ebbgate/ebbgate/internal/stitch"
)

// warehouseGroup is the consumer group of the shipped stream into the staging area.
const warehouseGroup = "ebbgate-warehouse"

// Pulled is what a reader of the staging area got of one table in its first job.
type Pulled struct {
	Table            string
	Rows, Tombstones int
	// Columns and Sample are the first of those staging.yaml declares, and of the newest row.
	Columns, Sample []string
}

// stagingStream is the file of the stream into the staging area, and empty where there is no database for it.
func stagingStream(workspace string, endpoints sandbox.Endpoints) string {
	file := filepath.Join(workspace, "sinks", "warehouse.yaml")
	if _, err := os.Stat(file); err != nil || endpoints.StagingDSN == "" {
		return ""
	}
	return file
}

// stages tells whether this run fills the staging area.
func (r *run) stages() bool { return stagingStream(r.Workspace, r.endpoints) != "" }

// reader connects as Stitch does.
func (r *run) reader(ctx context.Context) (*staging.Area, *pgx.Conn, error) {
	area, err := r.ws.Staging()
	if err != nil {
		return nil, nil, err
	}
	config, err := pgx.ParseConfig(r.endpoints.StagingDSN)
	if err != nil {
		return nil, nil, err
	}
	config.User = area.Reader
	conn, err := pgx.ConnectConfig(ctx, config)
	return area, conn, err
}

// pull runs one job of a reader over the whole area.
func (r *run) pull(ctx context.Context) ([]Pulled, error) {
	if !r.stages() {
		return nil, nil
	}
	area, conn, err := r.reader(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the staging area: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	reader := stitch.Reader{Schema: area.Schema, Bookmarks: map[string]int64{}}
	tables, err := reader.Discover(ctx, conn)
	if err != nil {
		return nil, err
	}
	var all []Pulled
	for _, t := range tables {
		p, declared := Pulled{Table: t.Name}, columns(area, t.Name)
		err := reader.Sync(ctx, conn, t, func(row stitch.Row) error {
			p.take(declared, row)
			return nil
		})
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// columns are those of a table that staging.yaml declares, beside which each has what replication and erasure need.
func columns(area *staging.Area, table string) (names []string) {
	for _, d := range area.Datasets {
		if d.Name == table {
			names = append(names, d.GroupBy...)
			for _, c := range d.Columns {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// take counts a row. declared are the columns to show of it.
func (p *Pulled) take(declared []string, row stitch.Row) {
	p.Rows++
	if row["is_deleted"] == true {
		p.Tombstones++
		return
	}
	p.Columns, p.Sample = nil, nil
	for _, name := range declared {
		if value := row[name]; value != nil && len(p.Columns) < 4 {
			p.Columns, p.Sample = append(p.Columns, name), append(p.Sample, fmt.Sprint(value))
		}
	}
}

// stagingSources are the tables of the area as places to search for canaries.
func (r *run) stagingSources() ([]books.Source, error) {
	if !r.stages() {
		return nil, nil
	}
	area, err := r.ws.Staging()
	if err != nil {
		return nil, err
	}
	var sources []books.Source
	for _, t := range area.Tables() {
		name := pgx.Identifier{t.Schema, t.Name}.Sanitize()
		sources = append(sources, books.Source{Name: "staging table " + t.Name, Read: func(ctx context.Context) (io.ReadCloser, error) {
			return r.wholeTable(ctx, name)
		}})
	}
	return sources, nil
}

// wholeTable is every column of every row, as the owner of the database sees it.
func (r *run) wholeTable(ctx context.Context, name string) (io.ReadCloser, error) {
	conn, err := pgx.Connect(ctx, r.endpoints.StagingAdminDSN)
	if err != nil {
		return nil, fmt.Errorf("reading the staging area: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, "SELECT t::text FROM "+name+" AS t")
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return io.NopCloser(strings.NewReader(strings.Join(lines, "\n"))), nil
}

// writePulled shows what a reader got; nothing where there was no area.
func writePulled(w io.Writer, all []Pulled) {
	if len(all) == 0 {
		fmt.Fprintln(w, "\nThe staging area for the warehouse was left out: this machine has no PostgreSQL.")
		return
	}
	fmt.Fprintln(w, "\nWhat Stitch pulls from the staging area in its first job, with the newest row of each table:")
	out := newTable(w, "table", "rows", "tombstones", "newest row")
	out.SetColumnConfigs([]table.ColumnConfig{{Name: "newest row", WidthMax: 76}})
	for _, p := range all {
		pairs := make([]string, len(p.Columns))
		for i := range p.Columns {
			pairs[i] = p.Columns[i] + "=" + p.Sample[i]
		}
		out.AppendRow(table.Row{p.Table, p.Rows, p.Tombstones, strings.Join(pairs, " ")})
	}
	out.Render()
}
