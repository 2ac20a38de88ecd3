package staging

import (
	"errors"
	"fmt"
	"strings"
)

// Change is one thing that a database needs to become the area.
type Change struct {
	Action  string   `json:"action"` // create, alter, grant, revoke, drop or blocked
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Why     string   `json:"why,omitempty"` // where something is there and is not as it should be
	SQL     []string `json:"sql,omitempty"`
	Destroy bool     `json:"destroy,omitempty"` // data goes with it
	Owner   bool     `json:"-"`                 // made by the owner, not by who applies
}

// Plan is what to do, in order.
type Plan struct {
	Database string   `json:"database"`
	Changes  []Change `json:"changes"`
	Notes    []string `json:"notes,omitempty"`
	owner    string
}

// Compare finds what a database lacks. Data is destroyed only where drop says so.
func (a *Area) Compare(have *Catalog, drop bool) *Plan {
	c := &comparison{area: a, have: have, drop: drop, plan: &Plan{Database: have.Database, owner: a.Owner}}
	c.database()
	c.roles()
	c.schemas()
	for _, t := range append(internalTables(), a.Tables()...) {
		c.table(t)
	}
	c.functions()
	c.triggers()
	c.grants()
	c.strangers()
	return c.plan
}

// Blocked joins what has to be settled by hand before anything is done.
func (p *Plan) Blocked() error {
	var errs []error
	for _, c := range p.Changes {
		if c.Action == "blocked" {
			errs = append(errs, fmt.Errorf("%s %s: %s", c.Kind, c.Name, c.Why))
		}
	}
	return errors.Join(errs...)
}

// Statements lists the SQL in order, with the changes of role between them.
func (p *Plan) Statements() (statements []string) {
	asOwner := false
	for _, c := range p.Changes {
		if c.Owner != asOwner && len(c.SQL) > 0 {
			if asOwner = c.Owner; asOwner {
				statements = append(statements, "SET LOCAL ROLE "+p.owner)
			} else {
				statements = append(statements, "RESET ROLE")
			}
		}
		statements = append(statements, c.SQL...)
	}
	return statements
}

// Text shows the plan as a reader of SQL wants it.
func (p *Plan) Text() string {
	var b strings.Builder
	if len(p.Changes) == 0 {
		fmt.Fprintf(&b, "database %s: nothing to do\n", p.Database)
	} else {
		fmt.Fprintf(&b, "database %s: %d changes, in one transaction\n", p.Database, len(p.Changes))
	}
	asOwner := false
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "\n-- %s %s %s\n", c.Action, c.Kind, c.Name)
		if c.Why != "" {
			fmt.Fprintf(&b, "--   %s\n", c.Why)
		}
		if c.Owner != asOwner && len(c.SQL) > 0 {
			asOwner = c.Owner
			b.WriteString(map[bool]string{true: "SET LOCAL ROLE " + p.owner + ";\n", false: "RESET ROLE;\n"}[asOwner])
		}
		for _, sql := range c.SQL {
			fmt.Fprintf(&b, "%s;\n", sql)
		}
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "\nnote: %s\n", note)
	}
	return b.String()
}
