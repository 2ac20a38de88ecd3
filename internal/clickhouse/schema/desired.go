package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/policy"
)

// Desired is what a database should hold.
type Desired struct {
	Migrations []Migration
	Views      []View
	TTL        string // of the events table; empty for none
	Roles      []Role
}

// Describe puts together what a workspace wants of ClickHouse: the files, the views of events, the retention and the roles.
func Describe(files fs.FS, contracts *contract.Set, destination *policy.Destination) (*Desired, error) {
	migrations, views, err := LoadFiles(files)
	if err != nil {
		return nil, err
	}
	roles, err := LoadRoles(files)
	if err != nil {
		return nil, err
	}
	if len(migrations) == 0 {
		return nil, errors.New("reading the ClickHouse schema: the folder has no NNN_*.sql: see clickhouse/ of the shipped workspace")
	}
	d := &Desired{
		Migrations: migrations, Roles: roles,
		Views: append(views, EventViews(contracts.All(), destination)...),
	}
	d.TTL = retention(contracts.Classes(), destination.Retention)
	return d, d.check()
}

// check refuses views whose names collide, and those nobody could read.
func (d *Desired) check() error {
	taken := map[string]bool{Table: true, "ebbgate_chunks": true, "outcomes": true, "audit_decision_rows": true, recordTable: true}
	var errs []error
	for _, v := range d.Views {
		if v.Owner != "" && !slices.ContainsFunc(d.Roles, func(r Role) bool { return r.Name == v.Owner }) {
			errs = append(errs, fmt.Errorf("view %s: views/%s/ is for a role that is not there: add roles/%[2]s.sql, or move the file to views/", v.Name, v.Owner))
		}
		if taken[v.Name] {
			errs = append(errs, fmt.Errorf("view %s: the name is taken by a table or another view: rename the event or the file", v.Name))
		}
		taken[v.Name] = true
	}
	return errors.Join(errs...)
}

// retention is the TTL by which rows of each class go: after the class's retention or the destination's, whichever is
// shorter. Classes and destinations without retention keep rows for ever.
func retention(classes []*contract.Class, destination time.Duration) string {
	var parts []string
	for _, class := range classes {
		keep := class.Retention
		if keep == 0 || (destination > 0 && destination < keep) {
			keep = destination
		}
		if keep > 0 {
			parts = append(parts, fmt.Sprintf("toDateTime(timestamp) + %s DELETE WHERE class = %s", interval(keep), clickhouse.Literal(class.Name)))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func interval(d time.Duration) string {
	if day := 24 * time.Hour; d%day == 0 {
		return fmt.Sprintf("INTERVAL %d DAY", d/day)
	}
	return fmt.Sprintf("INTERVAL %d SECOND", max(1, int64(d/time.Second)))
}
