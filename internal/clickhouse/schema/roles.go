package schema

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
)

// Role is who may read views, and nothing else. Its file makes the role with its limits; what it may read follows.
type Role struct {
	Name       string
	Statements []string
}

// SQL is all that makes the role: its file, and one grant per view it may read in place of all it had in the database before.
func (r *Role) SQL(database string, views []View) []string {
	db, role := clickhouse.Quote(database), clickhouse.Quote(r.Name)
	statements := append(slices.Clone(r.Statements), "REVOKE ALL ON "+db+".* FROM "+role)
	for i := range views {
		if !r.reads(views, &views[i]) {
			continue
		}
		statements = append(statements, "GRANT SELECT ON "+db+"."+clickhouse.Quote(views[i].Name)+" TO "+role)
	}
	return statements
}

// reads tells whether the view is for the role: its own where it owns views, else those that nobody owns.
func (r *Role) reads(views []View, v *View) bool {
	owns := slices.ContainsFunc(views, func(v View) bool { return v.Owner == r.Name })
	return v.Owner == r.Name || (!owns && v.Owner == "")
}

// mayMakeRoles asks the server whether the user may do what roles need. A server without access management says no.
func mayMakeRoles(ctx context.Context, client *clickhouse.Client) (may bool, err error) {
	query := "CHECK GRANT CREATE ROLE, CREATE SETTINGS PROFILE, ALTER SETTINGS PROFILE, CREATE QUOTA, ALTER QUOTA ON *.*"
	err = client.Query(ctx, query, nil, func(scan func(...any) error) error {
		var answer uint8
		err := scan(&answer)
		may = answer == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("asking for the right to make roles: %w", err)
	}
	return may, nil
}

// role plans a role. A user who may not make roles leaves them to somebody who may: without the role nobody reads more.
func (p *Plan) role(have *actual, r *Role, views []View) {
	sql := r.SQL(p.Database, views)
	text := strings.Join(sql, ";\n")
	c := Change{Kind: kindRole, Name: r.Name, Action: Create, SQL: sql, text: text, digest: digest(text)}
	done, ok := have.record[[2]string{kindRole, r.Name}]
	switch {
	case done.digest == c.digest:
		return
	case !have.mayMakeRoles:
		p.Notes = append(p.Notes, "role "+r.Name+" is left out: this user may not make roles, settings profiles and quotas: apply as one who may")
		return
	case ok:
		c.Action, c.Diff = Replace, lineDiff(done.text, text)
	}
	p.Changes = append(p.Changes, c)
}
