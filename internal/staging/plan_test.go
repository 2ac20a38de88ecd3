package staging

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func empty() *Catalog {
	return &Catalog{Database: "marketing_stage", User: "admin", Superuser: true, Encoding: "UTF8"}
}

func TestPlanOfAnEmptyDatabase(t *testing.T) {
	plan := shipped(t).Compare(empty(), false)
	require.NoError(t, plan.Blocked())
	golden(t, "empty.sql", plan.Text())
	for _, c := range plan.Changes {
		assert.False(t, c.Destroy, c.Name)
	}
}

// like is a database that has exactly what the area wants.
func like(a *Area) *Catalog {
	c := empty()
	c.Roles = map[string]Role{a.Owner: {}, a.Writer: {Login: true}, a.Reader: {Login: true, ReadOnly: true, UTC: true}}
	c.Schemas, c.Sequence = map[string]bool{a.Schema: true, Internal: true}, true
	c.Relations, c.Functions, c.Held = map[string]Relation{}, map[string]FunctionFact{}, map[string]bool{}
	for _, t := range append(internalTables(), a.Tables()...) {
		r := Relation{Kind: "r", Owner: a.Owner, Columns: slices.Clone(t.Columns), Primary: t.Primary, Checks: map[string]bool{}, Indexes: map[string]bool{}, Triggers: map[string]bool{}}
		for _, check := range t.Checks {
			r.Checks[check.Name] = true
		}
		for _, index := range t.Indexes {
			r.Indexes[index.Name] = true
		}
		c.Relations[t.Schema+"."+t.Name] = r
	}
	for _, tr := range a.Triggers() {
		c.Relations[tr.On].Triggers[tr.Name] = true
	}
	for _, f := range a.Functions() {
		c.Functions[f.Name] = FunctionFact{Body: f.Body, Definer: true, Owner: a.Owner}
	}
	for _, g := range a.Grants() {
		c.Held[g.Key()] = g.Held
	}
	return c
}

func TestNothingToDoWhereAllIsThere(t *testing.T) {
	a := shipped(t)
	plan := a.Compare(like(a), false)
	require.Empty(t, plan.Changes)
	require.Empty(t, plan.Notes)
	require.Equal(t, "database marketing_stage: nothing to do\n", plan.Text())
}

func TestDriftIsNamedWithItsFix(t *testing.T) {
	const events = "stitch_stage.marketing_events"
	change := func(name string, do func(*Relation)) func(*Catalog) {
		return func(c *Catalog) {
			r := c.Relations[name]
			do(&r)
			c.Relations[name] = r
		}
	}
	column := func(name string) func(*Relation) *TableColumn {
		return func(r *Relation) *TableColumn {
			return &r.Columns[slices.IndexFunc(r.Columns, func(c TableColumn) bool { return c.Name == name })]
		}
	}
	for name, tc := range map[string]struct {
		drift func(*Catalog)
		want  string
	}{
		"view in place of a table": {change(events, func(r *Relation) { r.Kind = "v" }), "a view stands in its place, which has no primary key and no trigger"},
		"no primary key":           {change(events, func(r *Relation) { r.Primary = nil }), "its primary key is (), not (event_id)"},
		"type changed":             {change(events, func(r *Relation) { column("cost_micros")(r).Type = "numeric" }), "column cost_micros is numeric, not bigint"},
		"trigger gone":             {change(events, func(r *Relation) { delete(r.Triggers, "stamp") }), "CREATE TRIGGER stamp BEFORE INSERT OR UPDATE"},
		"trigger disabled":         {change(events, func(r *Relation) { r.Triggers["stamp"] = false }), "ENABLE TRIGGER stamp"},
		"trigger of an aggregate":  {change(events, func(r *Relation) { delete(r.Triggers, "restate_campaign_performance_update") }), "AFTER UPDATE ON"},
		"constraint gone":          {change(events, func(r *Relation) { clear(r.Checks) }), `ADD CONSTRAINT "tombstone_`},
		"index gone":               {change(events, func(r *Relation) { clear(r.Indexes) }), `CREATE UNIQUE INDEX "marketing_events_row_seq"`},
		"column gone":              {change(events, func(r *Relation) { r.Columns = r.Columns[:len(r.Columns)-1] }), "column row_seq is missing, and rows that are there could not have a value"},
		"key may be null":          {change(events, func(r *Relation) { column("row_seq")(r).NotNull = false }), `ALTER COLUMN "row_seq" SET NOT NULL`},
		"tombstone cannot be":      {change(events, func(r *Relation) { column("channel")(r).NotNull = true }), `ALTER COLUMN "channel" DROP NOT NULL`},
		"another owner":            {change(events, func(r *Relation) { r.Owner = "alice" }), "OWNER TO stage_owner"},
		"function changed":         {func(c *Catalog) { c.Functions["stamp"] = FunctionFact{Body: "x", Definer: true, Owner: "stage_owner"} }, "alter function stamp"},
		"function of its caller":   {func(c *Catalog) { f := c.Functions["stamp"]; f.Definer = false; c.Functions["stamp"] = f }, "alter function stamp"},
		"numbers handed out ahead": {func(c *Catalog) { c.Cached = true }, "CACHE 1"},
		"reader can write":         {func(c *Catalog) { c.Held["stitch_reader|INSERT|TABLE|"+events] = true }, "REVOKE INSERT ON TABLE stitch_stage.marketing_events FROM stitch_reader"},
		"writer can delete":        {func(c *Catalog) { c.Held["stage_writer|DELETE|TABLE|"+events] = true }, "REVOKE DELETE"},
		"reader cannot read":       {func(c *Catalog) { c.Held["stitch_reader|SELECT|TABLE|"+events] = false }, "GRANT SELECT ON TABLE stitch_stage.marketing_events TO stitch_reader"},
		"reader sees inside":       {func(c *Catalog) { c.Held["stitch_reader|USAGE|SCHEMA|stage_internal"] = true }, "REVOKE USAGE ON SCHEMA stage_internal FROM stitch_reader"},
		"reader is a superuser":    {func(c *Catalog) { c.Roles["stitch_reader"] = Role{Superuser: true, ReadOnly: true, UTC: true} }, "is a superuser, whom no grant holds back"},
		"reader in another zone":   {func(c *Catalog) { c.Roles["stitch_reader"] = Role{ReadOnly: true} }, "SET timezone = 'UTC'"},
		"other encoding":           {func(c *Catalog) { c.Encoding = "SQL_ASCII" }, "ENCODING 'UTF8'"},
		"column nobody declares": {
			change(events, func(r *Relation) { r.Columns = append(r.Columns, TableColumn{Name: "email", Type: "text"}) }),
			"column email is no longer declared, so erasure would not empty it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := shipped(t)
			have := like(a)
			tc.drift(have)
			plan := a.Compare(have, false)
			require.NotEmpty(t, plan.Changes)
			assert.Contains(t, plan.Text(), tc.want)
			assert.Len(t, slices.DeleteFunc(plan.Changes, func(c Change) bool {
				return strings.HasPrefix(c.Why, "constraint") || strings.HasPrefix(c.Why, "index")
			}), map[bool]int{true: 0, false: 1}[name == "constraint gone" || name == "index gone"])
		})
	}
}

func TestNothingIsDestroyedUnasked(t *testing.T) {
	a := shipped(t)
	have := like(a)
	have.Relations["stitch_stage.gone"] = Relation{Kind: "r", Owner: a.Owner}
	plan := a.Compare(have, false)
	require.Empty(t, plan.Changes)
	require.Equal(t, []string{"stitch_stage.gone is not declared; it stays, unless --drop"}, plan.Notes)
	plan = a.Compare(have, true)
	require.Len(t, plan.Changes, 1)
	require.True(t, plan.Changes[0].Destroy)
	require.Equal(t, []string{`DROP TABLE "stitch_stage"."gone"`}, plan.Changes[0].SQL)
}
