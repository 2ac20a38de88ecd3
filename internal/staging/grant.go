package staging

import "fmt"

// Grant is one privilege that a role must have, or must not have.
type Grant struct {
	Role      string // "public" is everybody
	Privilege string
	On        string // DATABASE, SCHEMA, TABLE, SEQUENCE or FUNCTION
	Object    string // as has_..._privilege takes it; "" is the database at hand
	Held      bool   // as it must be
}

// Key names the grant whatever it must be.
func (g Grant) Key() string { return g.Role + "|" + g.Privilege + "|" + g.On + "|" + g.Object }

// Grants lists every privilege that matters. What a role must not have is listed as well: a grant that somebody added
// for an afternoon is found and taken back.
func (a *Area) Grants() []Grant {
	g := &granter{area: a}
	g.on("DATABASE", "")
	g.must(a.Writer, "CONNECT", "TEMPORARY")
	g.must(a.Reader, "CONNECT")
	g.never("public", "CONNECT", "TEMPORARY")
	g.never(a.Reader, "TEMPORARY", "CREATE")
	g.never(a.Writer, "CREATE")
	for _, schema := range []string{a.Schema, Internal} {
		g.on("SCHEMA", schema)
		g.must(a.Writer, "USAGE")
		g.never(a.Writer, "CREATE")
		g.never(a.Reader, "CREATE")
		if schema == Internal {
			g.never(a.Reader, "USAGE")
		} else {
			g.must(a.Reader, "USAGE")
		}
	}
	for _, t := range a.Tables() {
		g.visible(t)
	}
	for _, t := range internalTables() {
		g.internal(t)
	}
	g.on("SEQUENCE", Internal+".row_seq")
	g.never(a.Reader, "USAGE", "UPDATE")
	g.never(a.Writer, "USAGE", "UPDATE")
	for _, f := range a.Functions() {
		g.on("FUNCTION", f.signature())
		g.never("public", "EXECUTE")
		if f.Name == "begin_batch" || f.Name == "erase_subject" {
			g.must(a.Writer, "EXECUTE")
		}
	}
	return g.all
}

type granter struct {
	area     *Area
	all      []Grant
	kind, at string
}

func (g *granter) on(kind, object string) { g.kind, g.at = kind, object }

func (g *granter) must(role string, privileges ...string) { g.add(role, true, privileges) }

func (g *granter) never(role string, privileges ...string) { g.add(role, false, privileges) }

func (g *granter) add(role string, held bool, privileges []string) {
	for _, p := range privileges {
		g.all = append(g.all, Grant{Role: role, Privilege: p, On: g.kind, Object: g.at, Held: held})
	}
}

// visible are the tables Stitch reads. Nobody but the owner can take a row away, or fill what fills itself.
func (g *granter) visible(t Table) {
	g.on("TABLE", t.Schema+"."+t.Name)
	g.must(g.area.Reader, "SELECT")
	g.never(g.area.Reader, "INSERT", "UPDATE", "DELETE", "TRUNCATE")
	g.must(g.area.Writer, "SELECT")
	g.never(g.area.Writer, "DELETE", "TRUNCATE")
	if t.Stamped == "subject" {
		g.must(g.area.Writer, "INSERT", "UPDATE")
	} else {
		g.never(g.area.Writer, "INSERT", "UPDATE")
	}
}

func (g *granter) internal(t Table) {
	g.on("TABLE", t.Schema+"."+t.Name)
	g.never(g.area.Reader, "SELECT")
	g.never(g.area.Writer, "DELETE", "TRUNCATE")
	switch t.Name {
	case "source_offsets":
		g.must(g.area.Writer, "SELECT", "INSERT", "UPDATE")
	case "row_subjects":
		g.must(g.area.Writer, "SELECT", "INSERT")
	case "erased_subjects":
		g.must(g.area.Writer, "SELECT")
		g.never(g.area.Writer, "INSERT", "UPDATE")
	}
}

// SQL makes it so.
func (g Grant) SQL(database string) string {
	object := g.Object
	if g.On == "DATABASE" {
		object = ident(database)
	}
	role := g.Role
	if role == "public" {
		role = "PUBLIC"
	}
	if g.Held {
		return fmt.Sprintf("GRANT %s ON %s %s TO %s", g.Privilege, g.On, object, role)
	}
	return fmt.Sprintf("REVOKE %s ON %s %s FROM %s", g.Privilege, g.On, object, role)
}

// signature names the function with its argument types.
func (f Function) signature() string {
	if f.Arguments == "" {
		return Internal + "." + f.Name + "()"
	}
	return Internal + "." + f.Name + "(text, text, text, text)"
}
