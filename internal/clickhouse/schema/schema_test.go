package schema_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/clickhouse/schema"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const shipped = "../../../pipelines"

func open(t *testing.T) *clickhouse.Client {
	t.Helper()
	client, err := clickhouse.Open(clickhouse.Options{DSN: plugtest.ClickHouse(t), Compression: clickhouse.None, Timeout: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

// describe reads a workspace in testdata.
func describe(t *testing.T, dir, files string) *schema.Desired {
	t.Helper()
	ws, err := workspace.Load(dir)
	require.NoError(t, err)
	destination, ok := ws.Policy.Destination("analytics")
	require.True(t, ok)
	want, err := schema.Describe(os.DirFS(files), ws.Contracts, destination)
	require.NoError(t, err)
	return want
}

func plan(t *testing.T, client *clickhouse.Client, want *schema.Desired, drop bool) *schema.Plan {
	t.Helper()
	p, err := schema.MakePlan(t.Context(), client, want, drop)
	require.NoError(t, err)
	return p
}

func apply(t *testing.T, client *clickhouse.Client, p *schema.Plan) {
	t.Helper()
	require.NoError(t, p.Apply(t.Context(), client, func(schema.Change) {}))
}

func texts(t *testing.T, client *clickhouse.Client, query string) []string {
	t.Helper()
	lines := []string{}
	require.NoError(t, client.Query(t.Context(), query, nil, func(scan func(...any) error) error {
		var line string
		err := scan(&line)
		lines = append(lines, line)
		return err
	}))
	return lines
}

// TestGeneratedSQL holds the SQL made from a small workspace against the golden file.
func TestGeneratedSQL(t *testing.T) {
	want := describe(t, "testdata/workspace", shipped+"/clickhouse")
	var b strings.Builder
	b.WriteString("-- retention\nALTER TABLE events MODIFY TTL " + want.TTL + ";\n")
	for _, v := range want.Views {
		b.WriteString("\n" + v.SQL() + ";\n")
	}
	golden := filepath.Join("testdata", "views.golden.sql")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o644))
	}
	text, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(text), b.String())
}

func TestApplyingTwiceChangesNothing(t *testing.T) {
	client := open(t)
	want := describe(t, shipped, shipped+"/clickhouse")
	first := plan(t, client, want, false)
	require.NotEmpty(t, first.Changes)
	assert.Empty(t, texts(t, client, "SELECT name FROM system.tables WHERE database = currentDatabase()"), "a plan changes nothing")
	apply(t, client, first)
	assert.Empty(t, plan(t, client, want, true).Changes)
	tables := texts(t, client, "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name")
	for _, name := range []string{"events", "ebbgate_chunks", "events_unique", "data_status", "events_per_minute", "trial_funnel", "consent_coverage", "action_to_queryable", "ebbgate_migrations", "trial_started", "invoice_paid"} {
		assert.Contains(t, tables, name)
	}
	for _, name := range tables {
		if name == "events_between" || name == "decisions_of" {
			continue // takes parameters
		}
		_ = texts(t, client, "SELECT toString(count()) FROM "+clickhouse.Quote(name))
		if name != "events" && !strings.HasPrefix(name, "ebbgate_") {
			require.NoError(t, client.Exec(t.Context(), "SELECT * FROM "+clickhouse.Quote(name)+" LIMIT 1"))
		}
	}
	assert.Contains(t, texts(t, client, "SELECT engine_full FROM system.tables WHERE name = 'events' AND database = currentDatabase()")[0], "TTL")
}

func TestViewsReadProperties(t *testing.T) {
	client := open(t)
	apply(t, client, plan(t, client, describe(t, "testdata/workspace", shipped+"/clickhouse"), false))
	properties := `{"plan":"pro","seats":3,"price":1.5,"trial":true,"began":"2026-04-13T10:00:00.5Z","address":{"city":"Ulm","zip":89073},` +
		`"tags":["a","b"],"lines":[{"sku":"x","n":2},{"sku":"y"}],"extra":{"k":[1]},"size":"10-50","source":"ad"}`
	for _, row := range []string{
		"'e1', 'order_placed', '" + properties + "', 1", "'e1', 'order_placed', '{}', 2", "'e2', 'order_placed', '{\"seats\":\"many\"}', 1", "'e3', 'other', '{}', 1",
	} {
		require.NoError(t, client.Exec(t.Context(), "INSERT INTO events (event_id, event_name, properties, inserted_at) SELECT "+row))
	}
	assert.Equal(t, []string{
		`e1|pro|3|1.5|true|2026-04-13 10:00:00.500|Ulm|89073|['a','b']|[('x',2),('y',NULL)]|['x','y']|{"k":[1]}|10-50|ad`,
		`e2|-|-|-|-|-|-|-|[]|[]|[]||-|-`,
	}, texts(t, client, `SELECT concat(event_id, '|', ifNull(plan, '-'), '|', ifNull(toString(seats), '-'), '|', ifNull(toString(price), '-'), '|', ifNull(toString(trial), '-'), '|', ifNull(toString(began), '-'),
		'|', ifNull(address_city, '-'), '|', ifNull(toString(address_zip), '-'), '|', toString(tags), '|', toString(lines), '|', toString(lines.sku), '|', extra, '|', ifNull(size, '-'), '|', ifNull(property_source, '-'))
		FROM order_placed ORDER BY event_id`))
	assert.Equal(t, []string{"e1", "e2", "e3"}, texts(t, client, "SELECT event_id FROM events_unique ORDER BY event_id"))
	assert.Equal(t, []string{"Seats that were bought."}, texts(t, client, "SELECT comment FROM system.columns WHERE table = 'order_placed' AND name = 'seats' AND database = currentDatabase()"))
}

// desired is a small schema that tests change.
func desired(t *testing.T, files fstest.MapFS) *schema.Desired {
	t.Helper()
	migrations, views, err := schema.LoadFiles(files)
	require.NoError(t, err)
	return &schema.Desired{Migrations: migrations, Views: views}
}

func smallFiles() fstest.MapFS {
	return fstest.MapFS{
		"001_events.sql":  {Data: []byte("CREATE TABLE events (a UInt8, class String, timestamp DateTime64(3)) ENGINE = MergeTree ORDER BY a;\n")},
		"views/all.sql":   {Data: []byte("-- Everything.\nSELECT * FROM events")},
		"views/small.sql": {Data: []byte("SELECT a FROM events WHERE a < 5;\n")},
	}
}

func actions(p *schema.Plan) []string {
	list := []string{}
	for _, c := range p.Changes {
		list = append(list, string(c.Action)+" "+c.Kind+" "+c.Name)
	}
	return list
}

func TestNewMigrationRemakesViewsThatTakeAllColumns(t *testing.T) {
	client := open(t)
	files := smallFiles()
	apply(t, client, plan(t, client, desired(t, files), false))
	files["002_more.sql"] = &fstest.MapFile{Data: []byte("-- two statements; one comment\nALTER TABLE events ADD COLUMN b String DEFAULT 'x;y';\nALTER TABLE events COMMENT COLUMN b 'it''s';")}
	p := plan(t, client, desired(t, files), false)
	assert.Equal(t, []string{"create migration 002_more", "replace view all", "replace view small"}, actions(p))
	assert.Len(t, p.Changes[0].SQL, 2)
	apply(t, client, p)
	assert.Empty(t, plan(t, client, desired(t, files), false).Changes)
	assert.Equal(t, []string{"a", "b", "class", "timestamp"}, texts(t, client, "SELECT name FROM system.columns WHERE table = 'all' AND database = currentDatabase() ORDER BY name"))
}

func TestChangedViewShowsItsDifference(t *testing.T) {
	client := open(t)
	files := smallFiles()
	apply(t, client, plan(t, client, desired(t, files), false))
	files["views/small.sql"] = &fstest.MapFile{Data: []byte("SELECT a FROM events WHERE a < 7;\n")}
	p := plan(t, client, desired(t, files), false)
	require.Equal(t, []string{"replace view small"}, actions(p))
	assert.Equal(t, "  CREATE OR REPLACE VIEW `small`\n  DEFINER = CURRENT_USER SQL SECURITY DEFINER AS\n- SELECT a FROM events WHERE a < 5\n+ SELECT a FROM events WHERE a < 7\n", p.Changes[0].Diff)
	require.NoError(t, client.Exec(t.Context(), "DROP VIEW all"))
	assert.Equal(t, []string{"create view all", "replace view small"}, actions(plan(t, client, desired(t, files), false)), "what was dropped by hand comes back")
}

func TestEditedMigrationIsBlocked(t *testing.T) {
	client := open(t)
	files := smallFiles()
	apply(t, client, plan(t, client, desired(t, files), false))
	files["001_events.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE events (a UInt16) ENGINE = MergeTree ORDER BY a;\n")}
	p := plan(t, client, desired(t, files), false)
	require.Equal(t, []string{"blocked migration 001_events"}, actions(p))
	err := p.Apply(context.Background(), client, func(schema.Change) { t.Error("applied a blocked plan") })
	require.ErrorIs(t, err, schema.ErrBlocked)
	assert.ErrorContains(t, err, "put it into a new file")
}

func TestNothingOfOthersIsReplacedOrDropped(t *testing.T) {
	client := open(t)
	require.NoError(t, client.Exec(t.Context(), "CREATE TABLE small (mine UInt8) ENGINE = Memory"))
	files := smallFiles()
	p := plan(t, client, desired(t, files), false)
	require.ErrorContains(t, p.Blocked(), "has an object small (Memory) that this command did not make")
	require.NoError(t, client.Exec(t.Context(), "DROP TABLE small"))
	apply(t, client, plan(t, client, desired(t, files), false))
	require.NoError(t, client.Exec(t.Context(), "CREATE VIEW mine AS SELECT 1"))

	delete(files, "views/small.sql")
	kept := plan(t, client, desired(t, files), false)
	assert.Empty(t, kept.Changes)
	assert.Equal(t, []string{"view small is no longer described and stays; drop it with --drop"}, kept.Notes)
	dropped := plan(t, client, desired(t, files), true)
	assert.Equal(t, []string{"drop view small"}, actions(dropped))
	apply(t, client, dropped)
	assert.Empty(t, plan(t, client, desired(t, files), true).Changes)
	assert.Equal(t, []string{"all", "ebbgate_migrations", "events", "mine"}, texts(t, client, "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name"))
}

func TestRetentionFollows(t *testing.T) {
	client := open(t)
	want := desired(t, smallFiles())
	apply(t, client, plan(t, client, want, false))
	for _, ttl := range []string{"toDateTime(timestamp) + INTERVAL 1 DAY DELETE WHERE class = 'a'", "toDateTime(timestamp) + INTERVAL 2 DAY DELETE WHERE class = 'a'", ""} {
		want.TTL = ttl
		p := plan(t, client, want, false)
		require.Len(t, p.Changes, 1)
		apply(t, client, p)
		assert.Empty(t, plan(t, client, want, false).Changes)
	}
	assert.NotContains(t, texts(t, client, "SELECT engine_full FROM system.tables WHERE name = 'events' AND database = currentDatabase()")[0], "TTL")
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for name, want := range map[string]string{"1_events.sql": "NNN_name.sql", "views/Upper.sql": "views/name.sql"} {
		_, _, err := schema.LoadFiles(fstest.MapFS{name: {Data: []byte("SELECT 1")}})
		assert.ErrorContains(t, err, want)
	}
	_, _, err := schema.LoadFiles(fstest.MapFS{"001_a.sql": {}, "001_b.sql": {}})
	assert.ErrorContains(t, err, "share a number")
}
