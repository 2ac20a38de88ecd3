package staging

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

type comparison struct {
	area *Area
	have *Catalog
	drop bool
	plan *Plan
}

func (c *comparison) add(change Change) { c.plan.Changes = append(c.plan.Changes, change) }

func (c *comparison) blocked(kind, name, why string) {
	c.add(Change{Action: "blocked", Kind: kind, Name: name, Why: why})
}

func (c *comparison) database() {
	if e := c.have.Encoding; e != "UTF8" {
		c.blocked("database", c.have.Database, "its encoding is "+e+", which cannot hold every event: create one with ENCODING 'UTF8' TEMPLATE template0")
	}
}

func (c *comparison) roles() {
	for _, want := range []struct {
		name, options string
		settings      []string
	}{
		{c.area.Owner, "NOLOGIN", nil},
		{c.area.Writer, "LOGIN", nil},
		{c.area.Reader, "LOGIN CONNECTION LIMIT 10", []string{"default_transaction_read_only = on", "timezone = 'UTC'"}},
	} {
		have, ok := c.have.Roles[want.name]
		if !ok {
			sql := []string{"CREATE ROLE " + want.name + " " + want.options}
			if want.name == c.area.Owner && !c.have.Superuser {
				sql = append(sql, "GRANT "+want.name+" TO CURRENT_USER")
			}
			for _, s := range want.settings {
				sql = append(sql, "ALTER ROLE "+want.name+" SET "+s)
			}
			c.add(Change{Action: "create", Kind: "role", Name: want.name, SQL: sql})
			continue
		}
		c.role(want.name, have)
	}
}

func (c *comparison) role(name string, have Role) {
	if have.Superuser {
		c.blocked("role", name, "is a superuser, whom no grant holds back: name another role in "+c.area.File+", or ALTER ROLE "+name+" NOSUPERUSER")
	}
	if name != c.area.Reader {
		return
	}
	if !have.ReadOnly {
		c.add(Change{Action: "alter", Kind: "role", Name: name, Why: "could write where it is let", SQL: []string{"ALTER ROLE " + name + " SET default_transaction_read_only = on"}})
	}
	if !have.UTC {
		c.add(Change{Action: "alter", Kind: "role", Name: name, Why: "would read times in another zone", SQL: []string{"ALTER ROLE " + name + " SET timezone = 'UTC'"}})
	}
}

func (c *comparison) schemas() {
	for _, name := range []string{Internal, c.area.Schema} {
		if !c.have.Schemas[name] {
			c.add(Change{Action: "create", Kind: "schema", Name: name, SQL: []string{"CREATE SCHEMA " + ident(name) + " AUTHORIZATION " + c.area.Owner}})
		}
	}
	const sequence = Internal + ".row_seq"
	switch {
	case !c.have.Sequence:
		c.add(Change{Action: "create", Kind: "sequence", Name: sequence, Owner: true, SQL: []string{"CREATE SEQUENCE " + sequence + " AS bigint MINVALUE 1 CACHE 1 NO CYCLE"}})
	case c.have.Cached:
		c.add(Change{Action: "alter", Kind: "sequence", Name: sequence, Owner: true, Why: "hands out numbers ahead, so they are not in the order of commits", SQL: []string{"ALTER SEQUENCE " + sequence + " CACHE 1"}})
	}
}

func (c *comparison) table(t Table) {
	name := t.Schema + "." + t.Name
	have, ok := c.have.Relations[name]
	switch {
	case !ok:
		c.add(Change{Action: "create", Kind: "table", Name: name, Owner: true, SQL: t.SQL()})
		return
	case have.Kind != "r":
		c.blocked("table", name, "a "+relationKind(have.Kind)+" stands in its place, which has no primary key and no trigger: drop or rename it, and apply again")
		return
	case have.Owner != c.area.Owner:
		c.add(Change{Action: "alter", Kind: "table", Name: name, Why: "belongs to " + have.Owner, SQL: []string{"ALTER TABLE " + name + " OWNER TO " + c.area.Owner}})
	}
	if !slices.Equal(have.Primary, t.Primary) {
		c.blocked("table", name, fmt.Sprintf("its primary key is (%s), not (%s), and Stitch tells rows apart by it: add it, or move the table away and apply again", strings.Join(have.Primary, ", "), strings.Join(t.Primary, ", ")))
	}
	c.columns(t, have)
	c.constraints(t, have)
	for _, index := range t.Indexes {
		if !have.Indexes[index.Name] {
			c.alter(t, "index "+index.Name+" is missing", index.sql(t))
		}
	}
}

func (c *comparison) alter(t Table, why string, sql ...string) {
	c.add(Change{Action: "alter", Kind: "table", Name: t.Schema + "." + t.Name, Why: why, SQL: sql, Owner: true})
}

func (c *comparison) columns(t Table, have Relation) {
	at := ident(t.Schema) + "." + ident(t.Name)
	for _, want := range t.Columns {
		is, ok := have.column(want.Name)
		switch {
		case !ok && want.NotNull && want.Default == "":
			c.blocked("table", t.Schema+"."+t.Name, "column "+want.Name+" is missing, and rows that are there could not have a value: restore it from a backup, or move the table away and apply again")
		case !ok:
			c.alter(t, "column "+want.Name+" is missing; rows that are there keep NULL in it", "ALTER TABLE "+at+" ADD COLUMN "+want.sql())
		case is.Type != want.Type:
			c.blocked("table", t.Schema+"."+t.Name, "column "+want.Name+" is "+is.Type+", not "+want.Type+", and Stitch splits a column whose type changes: give the new meaning a new name")
		case want.NotNull && !is.NotNull:
			c.alter(t, "column "+want.Name+" lets NULL in", "ALTER TABLE "+at+" ALTER COLUMN "+ident(want.Name)+" SET NOT NULL")
		case !want.NotNull && is.NotNull:
			c.alter(t, "column "+want.Name+" lets no tombstone in", "ALTER TABLE "+at+" ALTER COLUMN "+ident(want.Name)+" DROP NOT NULL")
		}
	}
	for _, is := range have.Columns {
		if slices.ContainsFunc(t.Columns, func(want TableColumn) bool { return want.Name == is.Name }) {
			continue
		}
		if !c.drop {
			c.blocked("table", t.Schema+"."+t.Name, "column "+is.Name+" is no longer declared, so erasure would not empty it: declare it again, or drop it with its data by --drop")
			continue
		}
		c.add(Change{Action: "drop", Kind: "column", Name: t.Name + "." + is.Name, Why: "no longer declared", Destroy: true, Owner: true, SQL: []string{"ALTER TABLE " + at + " DROP COLUMN " + ident(is.Name)}})
	}
}

func (c *comparison) constraints(t Table, have Relation) {
	at := ident(t.Schema) + "." + ident(t.Name)
	wanted := map[string]bool{}
	for _, check := range t.Checks {
		wanted[check.Name] = true
		if !have.Checks[check.Name] {
			c.alter(t, "constraint "+check.Name+" is missing", "ALTER TABLE "+at+" ADD "+check.sql())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have.Checks)) {
		if !wanted[name] {
			c.alter(t, "constraint "+name+" is of an earlier description", "ALTER TABLE "+at+" DROP CONSTRAINT IF EXISTS "+ident(name))
		}
	}
}

func (c *comparison) functions() {
	for _, f := range c.area.Functions() {
		have, ok := c.have.Functions[f.Name]
		switch {
		case !ok:
			c.add(Change{Action: "create", Kind: "function", Name: f.Name, Owner: true, SQL: []string{f.SQL()}})
		case have.Owner != c.area.Owner:
			c.add(Change{Action: "alter", Kind: "function", Name: f.Name, Why: "belongs to " + have.Owner, SQL: []string{"ALTER FUNCTION " + f.signature() + " OWNER TO " + c.area.Owner, f.SQL()}})
		case have.Body != f.Body || !have.Definer:
			c.add(Change{Action: "alter", Kind: "function", Name: f.Name, Owner: true, Why: "says something else", SQL: []string{f.SQL()}})
		}
	}
}

func (c *comparison) triggers() {
	for _, t := range c.area.Triggers() {
		relation := c.have.Relations[t.On]
		fires, ok := relation.Triggers[t.Name]
		switch {
		case relation.Kind != "" && relation.Kind != "r":
		case !ok:
			c.add(Change{Action: "create", Kind: "trigger", Name: t.Name + " on " + t.On, Owner: true, SQL: []string{t.SQL}})
		case !fires:
			c.add(Change{Action: "alter", Kind: "trigger", Name: t.Name + " on " + t.On, Owner: true, Why: "is disabled: rows would not be numbered", SQL: []string{"ALTER TABLE " + t.On + " ENABLE TRIGGER " + t.Name}})
		}
	}
}

func (c *comparison) grants() {
	for _, g := range c.area.Grants() {
		held, known := c.have.Held[g.Key()]
		// A function that is made anew may be run by everybody; other new objects by nobody.
		if !known {
			held = g.Role == "public" && g.On == "FUNCTION"
		}
		if held == g.Held {
			continue
		}
		action := "grant"
		if !g.Held {
			action = "revoke"
		}
		c.add(Change{Action: action, Kind: strings.ToLower(g.On), Name: strings.TrimSpace(g.Privilege + " " + g.Object), Owner: g.On != "DATABASE", SQL: []string{g.SQL(c.have.Database)}})
	}
}

// strangers are tables in the reader's schema that nothing describes.
func (c *comparison) strangers() {
	for _, name := range slices.Sorted(maps.Keys(c.have.Relations)) {
		schema, table, _ := strings.Cut(name, ".")
		if schema != c.area.Schema || slices.ContainsFunc(c.area.Tables(), func(t Table) bool { return t.Name == table }) {
			continue
		}
		if !c.drop {
			c.plan.Notes = append(c.plan.Notes, name+" is not declared; it stays, unless --drop")
			continue
		}
		what := strings.ToUpper(relationKind(c.have.Relations[name].Kind))
		c.add(Change{Action: "drop", Kind: strings.ToLower(what), Name: name, Why: "not declared", Destroy: true, Owner: true, SQL: []string{"DROP " + what + " " + ident(schema) + "." + ident(table)}})
	}
}

func relationKind(kind string) string {
	switch kind {
	case "v":
		return "view"
	case "m":
		return "materialized view"
	case "f":
		return "foreign table"
	}
	return "table"
}
