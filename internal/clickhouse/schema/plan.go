package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
)

// recordTable remembers what has been applied.
const recordTable = "ebbgate_migrations"

const recordDDL = `CREATE TABLE IF NOT EXISTS ` + recordTable + `
(
    kind       LowCardinality(String) COMMENT 'migration, view, ttl or role',
    name       String,
    sha256     String,
    sql        String,
    applied_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY (kind, name)
COMMENT 'What ebbgate clickhouse apply has done'`

// Kinds of object.
const (
	kindMigration = "migration"
	kindView      = "view"
	kindTTL       = "ttl"
	kindRole      = "role"
)

// Action is what a change does.
type Action string

// The actions. A Blocked change cannot be applied; its Reason says what a person has to do first.
const (
	Create  Action = "create"
	Replace Action = "replace"
	Drop    Action = "drop"
	Blocked Action = "blocked"
)

// Change is one step of a plan.
type Change struct {
	Kind   string   `json:"kind"`
	Name   string   `json:"name"`
	Action Action   `json:"action"`
	Reason string   `json:"reason,omitempty"`
	SQL    []string `json:"sql,omitempty"`
	Diff   string   `json:"diff,omitempty"` // of the recorded and the new text, where something is replaced

	text   string // what is recorded
	digest string // empty for what is dropped
	frozen bool
}

// Plan is what would have to be done. Notes tell what is left as it is.
type Plan struct {
	Database string   `json:"database"`
	Changes  []Change `json:"changes"`
	Notes    []string `json:"notes,omitempty"`
}

// recorded is one line of the record.
type recorded struct{ digest, text string }

// actual is what the database holds.
type actual struct {
	record  map[[2]string]recorded // by kind and name
	objects map[string]string      // engine by name
	columns string                 // of the events table, as one text

	mayMakeRoles bool
}

// MakePlan compares the database with what is desired and changes nothing. With drop set, views that were applied
// once and are no longer described go.
func MakePlan(ctx context.Context, client *clickhouse.Client, want *Desired, drop bool) (*Plan, error) {
	have, err := observe(ctx, client)
	if err != nil {
		return nil, err
	}
	p := &Plan{Database: client.Database(), Changes: []Change{}}
	for _, m := range want.Migrations {
		p.migration(have, m)
	}
	pending := slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Action == Create })
	p.ttl(have, want.TTL)
	for i := range want.Views {
		p.view(have, &want.Views[i], pending)
	}
	for i := range want.Roles {
		p.role(have, &want.Roles[i], want.Views)
	}
	p.leftovers(have, want, drop)
	return p, nil
}

func observe(ctx context.Context, client *clickhouse.Client) (*actual, error) {
	have := &actual{record: map[[2]string]recorded{}, objects: map[string]string{}}
	err := client.Query(ctx, "SELECT name, engine FROM system.tables WHERE database = ?", []any{client.Database()}, func(scan func(...any) error) error {
		var name, engine string
		err := scan(&name, &engine)
		have.objects[name] = engine
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing tables: %w", err)
	}
	if have.columns, err = tableColumns(ctx, client); err != nil {
		return nil, err
	}
	if have.mayMakeRoles, err = mayMakeRoles(ctx, client); err != nil {
		return nil, err
	}
	if have.objects[recordTable] == "" {
		return have, nil
	}
	err = client.Query(ctx, "SELECT kind, name, sha256, sql FROM "+recordTable+" FINAL WHERE sha256 != ''", nil, func(scan func(...any) error) error {
		var kind, name string
		var r recorded
		err := scan(&kind, &name, &r.digest, &r.text)
		have.record[[2]string{kind, name}] = r
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", recordTable, err)
	}
	return have, nil
}

func tableColumns(ctx context.Context, client *clickhouse.Client) (string, error) {
	var list []string
	err := client.Query(ctx, "SELECT concat(name, ' ', type) FROM system.columns WHERE database = ? AND table = ? ORDER BY position", []any{client.Database(), Table},
		func(scan func(...any) error) error {
			var column string
			err := scan(&column)
			list = append(list, column)
			return err
		})
	if err != nil {
		return "", fmt.Errorf("listing columns: %w", err)
	}
	return strings.Join(list, "\n"), nil
}

func (p *Plan) migration(have *actual, m Migration) {
	c := Change{Kind: kindMigration, Name: m.Name, Action: Create, SQL: m.Statements, text: m.SQL, digest: digest(m.SQL)}
	done, ok := have.record[[2]string{kindMigration, m.Name}]
	switch {
	case !ok:
		p.Changes = append(p.Changes, c)
	case done.digest != c.digest:
		c.Action, c.SQL = Blocked, nil
		c.Reason = m.Name + ".sql has run before and was changed since: undo the change and put it into a new file with the next number"
		c.Diff = lineDiff(done.text, m.SQL)
		p.Changes = append(p.Changes, c)
	}
}

func (p *Plan) ttl(have *actual, ttl string) {
	done, ok := have.record[[2]string{kindTTL, Table}]
	c := Change{Kind: kindTTL, Name: Table, Action: Create, text: ttl, digest: digest(ttl)}
	if done.digest == c.digest || (!ok && ttl == "") {
		return
	}
	c.SQL = []string{"ALTER TABLE " + Table + " MODIFY TTL " + ttl}
	if ttl == "" {
		c.SQL = []string{"ALTER TABLE " + Table + " REMOVE TTL"}
	}
	if ok {
		c.Action, c.Diff = Replace, lineDiff(strings.ReplaceAll(done.text, ", ", ",\n"), strings.ReplaceAll(ttl, ", ", ",\n"))
	}
	p.Changes = append(p.Changes, c)
}

func (p *Plan) view(have *actual, v *View, pending bool) {
	sql := v.SQL()
	c := Change{Kind: kindView, Name: v.Name, Action: Create, SQL: []string{sql}, text: sql, digest: v.digest(have.columns), frozen: v.frozen()}
	done, ok := have.record[[2]string{kindView, v.Name}]
	engine := have.objects[v.Name]
	switch {
	case engine != "" && (engine != v.engine() || !ok):
		c.Action, c.SQL = Blocked, nil
		c.Reason = fmt.Sprintf("database %s has an object %s (%s) that this command did not make: rename or drop it", p.Database, v.Name, engine)
	case engine == "":
	case done.digest == c.digest && (!pending || !v.frozen()):
		return
	default:
		c.Action, c.Diff = Replace, lineDiff(done.text, sql)
	}
	p.Changes = append(p.Changes, c)
}

// frozen is whether the view took its columns from the table when it was made, so that it has to be made again when
// the table changes.
func (v *View) frozen() bool { return len(v.Columns) == 0 }

func (v *View) digest(columns string) string {
	if v.frozen() {
		return digest(v.SQL(), columns)
	}
	return digest(v.SQL())
}

// leftovers are views that were applied once and are described no more.
func (p *Plan) leftovers(have *actual, want *Desired, drop bool) {
	var names []string
	for key := range have.record {
		described := slices.ContainsFunc(want.Views, func(v View) bool { return v.Name == key[1] })
		if key[0] == kindView && !described && isView(have.objects[key[1]]) {
			names = append(names, key[1])
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if !drop {
			p.Notes = append(p.Notes, "view "+name+" is no longer described and stays; drop it with --drop")
			continue
		}
		p.Changes = append(p.Changes, Change{Kind: kindView, Name: name, Action: Drop, SQL: []string{"DROP VIEW " + clickhouse.Quote(name)}})
	}
}

// ErrBlocked is wrapped by Apply's error when the plan has a change a person has to see to first.
var ErrBlocked = errors.New("the plan is blocked")

// Blocked joins the reasons of all blocked changes; nil when there is none.
func (p *Plan) Blocked() error {
	var errs []error
	for _, c := range p.Changes {
		if c.Action == Blocked {
			errs = append(errs, errors.New(c.Reason))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrBlocked, errors.Join(errs...))
}

// Apply does what the plan shows, in its order, and records each step; done is called after each. It stops at the
// first error; what was done stays done and recorded, so that planning again shows the rest.
func (p *Plan) Apply(ctx context.Context, client *clickhouse.Client, done func(Change)) error {
	if err := p.Blocked(); err != nil {
		return err
	}
	if len(p.Changes) == 0 {
		return nil
	}
	if err := client.Exec(ctx, recordDDL); err != nil {
		return fmt.Errorf("creating %s: %w", recordTable, err)
	}
	for _, c := range p.Changes {
		for _, statement := range c.SQL {
			if err := client.Exec(ctx, statement); err != nil {
				return fmt.Errorf("applying %s %s: %w", c.Kind, c.Name, err)
			}
		}
		if err := record(ctx, client, c); err != nil {
			return err
		}
		done(c)
	}
	return nil
}

func record(ctx context.Context, client *clickhouse.Client, c Change) error {
	if c.frozen {
		// Migrations of this plan may have changed the table since the digest was taken.
		columns, err := tableColumns(ctx, client)
		if err != nil {
			return err
		}
		c.digest = digest(c.text, columns)
	}
	err := client.Exec(ctx, "INSERT INTO "+recordTable+" SELECT ?, ?, ?, ?, now64(3)", c.Kind, c.Name, c.digest, c.text)
	if err != nil {
		return fmt.Errorf("recording %s %s: %w", c.Kind, c.Name, err)
	}
	return nil
}
