package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/ebbgate/ebbgate/internal/staging"
)

// Querier is a connection, a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Inspect reads what the database has of an area.
func Inspect(ctx context.Context, q Querier, area *staging.Area) (*staging.Catalog, error) {
	i := &inspector{q: q, area: area, have: &staging.Catalog{
		Roles: map[string]staging.Role{}, Schemas: map[string]bool{}, Relations: map[string]staging.Relation{},
		Functions: map[string]staging.FunctionFact{}, Held: map[string]bool{},
	}}
	for _, step := range []func(context.Context) error{i.database, i.roles, i.schemas, i.relations, i.columns, i.constraints, i.indexes, i.triggers, i.functions, i.grants} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("reading the catalog of PostgreSQL: %w", err)
		}
	}
	return i.have, nil
}

type inspector struct {
	q    Querier
	area *staging.Area
	have *staging.Catalog
}

// each runs a query and hands every row to scan.
func (i *inspector) each(ctx context.Context, sql string, args []any, scan func(pgx.Rows) error) error {
	rows, err := i.q.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (i *inspector) names() []string { return []string{staging.Internal, i.area.Schema} }

func (i *inspector) database(ctx context.Context) error {
	h := i.have
	return i.q.QueryRow(ctx, `SELECT current_database(), current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
		(SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database())`).Scan(&h.Database, &h.User, &h.Superuser, &h.Encoding)
}

func (i *inspector) roles(ctx context.Context) error {
	return i.each(ctx, `SELECT rolname, rolcanlogin, rolsuper, coalesce('default_transaction_read_only=on' = ANY (rolconfig), false),
		coalesce(EXISTS (SELECT FROM unnest(rolconfig) c WHERE lower(c) IN ('timezone=utc', 'timezone=etc/utc')), false)
		FROM pg_roles WHERE rolname = ANY ($1)`, []any{[]string{i.area.Owner, i.area.Writer, i.area.Reader}}, func(rows pgx.Rows) error {
		var name string
		var r staging.Role
		err := rows.Scan(&name, &r.Login, &r.Superuser, &r.ReadOnly, &r.UTC)
		i.have.Roles[name] = r
		return err
	})
}

func (i *inspector) schemas(ctx context.Context) error {
	err := i.each(ctx, "SELECT nspname FROM pg_namespace WHERE nspname = ANY ($1)", []any{i.names()}, func(rows pgx.Rows) error {
		var name string
		err := rows.Scan(&name)
		i.have.Schemas[name] = true
		return err
	})
	if err != nil {
		return err
	}
	return i.each(ctx, "SELECT cache_size > 1 FROM pg_sequences WHERE schemaname = $1 AND sequencename = 'row_seq'", []any{staging.Internal}, func(rows pgx.Rows) error {
		i.have.Sequence = true
		return rows.Scan(&i.have.Cached)
	})
}

func (i *inspector) relations(ctx context.Context) error {
	return i.each(ctx, `SELECT n.nspname || '.' || c.relname, c.relkind::text, pg_get_userbyid(c.relowner)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'v', 'm', 'f', 'p')`, []any{i.names()}, func(rows pgx.Rows) error {
		var name string
		r := staging.Relation{Checks: map[string]bool{}, Indexes: map[string]bool{}, Triggers: map[string]bool{}}
		err := rows.Scan(&name, &r.Kind, &r.Owner)
		i.have.Relations[name] = r
		return err
	})
}

func (i *inspector) columns(ctx context.Context) error {
	return i.each(ctx, `SELECT n.nspname || '.' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		coalesce((SELECT array_position(k.conkey, a.attnum) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p'), 0)
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
		ORDER BY c.oid, a.attnum`, []any{i.names()}, func(rows pgx.Rows) error {
		var table string
		var c staging.TableColumn
		var key int
		if err := rows.Scan(&table, &c.Name, &c.Type, &c.NotNull, &key); err != nil {
			return err
		}
		r := i.have.Relations[table]
		r.Columns = append(r.Columns, c)
		if key > 0 {
			r.Primary = append(r.Primary, make([]string, max(0, key-len(r.Primary)))...)
			r.Primary[key-1] = c.Name
		}
		i.have.Relations[table] = r
		return nil
	})
}

func (i *inspector) constraints(ctx context.Context) error {
	return i.flags(ctx, `SELECT n.nspname || '.' || c.relname, k.conname, k.convalidated FROM pg_constraint k
		JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = ANY ($1) AND k.contype = 'c'`, func(r staging.Relation) map[string]bool { return r.Checks })
}

func (i *inspector) indexes(ctx context.Context) error {
	return i.flags(ctx, `SELECT n.nspname || '.' || c.relname, x.relname, d.indisvalid FROM pg_index d
		JOIN pg_class c ON c.oid = d.indrelid JOIN pg_class x ON x.oid = d.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = ANY ($1)`, func(r staging.Relation) map[string]bool { return r.Indexes })
}

func (i *inspector) triggers(ctx context.Context) error {
	return i.flags(ctx, `SELECT n.nspname || '.' || c.relname, t.tgname, t.tgenabled IN ('O', 'A') FROM pg_trigger t
		JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = ANY ($1) AND NOT t.tgisinternal`, func(r staging.Relation) map[string]bool { return r.Triggers })
}

// flags reads named things of tables into the map that of picks.
func (i *inspector) flags(ctx context.Context, sql string, of func(staging.Relation) map[string]bool) error {
	return i.each(ctx, sql, []any{i.names()}, func(rows pgx.Rows) error {
		var table, name string
		var on bool
		if err := rows.Scan(&table, &name, &on); err != nil {
			return err
		}
		if r, ok := i.have.Relations[table]; ok {
			of(r)[name] = on
		}
		return nil
	})
}

func (i *inspector) functions(ctx context.Context) error {
	return i.each(ctx, `SELECT p.proname, p.prosrc, p.prosecdef AND 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig), pg_get_userbyid(p.proowner)
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1`, []any{staging.Internal}, func(rows pgx.Rows) error {
		var name string
		var f staging.FunctionFact
		var definer *bool
		err := rows.Scan(&name, &f.Body, &definer, &f.Owner)
		f.Definer = definer != nil && *definer
		i.have.Functions[name] = f
		return err
	})
}

// grants asks for each privilege of which role and object are there.
func (i *inspector) grants(ctx context.Context) error {
	for _, g := range i.area.Grants() {
		if _, ok := i.have.Roles[g.Role]; !ok && g.Role != "public" {
			continue
		}
		sql, args := "", []any{g.Role, g.Object, g.Privilege}
		switch g.On {
		case "DATABASE":
			sql, args[1] = "SELECT has_database_privilege($1, $2, $3)", i.have.Database
		case "SCHEMA":
			sql = "SELECT CASE WHEN to_regnamespace($2) IS NOT NULL THEN has_schema_privilege($1, $2, $3) END"
		case "TABLE":
			sql = "SELECT CASE WHEN to_regclass($2) IS NOT NULL THEN has_table_privilege($1, $2, $3) END"
		case "SEQUENCE":
			sql = "SELECT CASE WHEN to_regclass($2) IS NOT NULL THEN has_sequence_privilege($1, $2, $3) END"
		case "FUNCTION":
			sql = "SELECT CASE WHEN to_regprocedure($2) IS NOT NULL THEN has_function_privilege($1, $2, $3) END"
		}
		var held *bool
		if err := i.q.QueryRow(ctx, sql, args...).Scan(&held); err != nil {
			return err
		}
		if held != nil {
			i.have.Held[g.Key()] = *held
		}
	}
	return nil
}

// Drifted tells in one line each how the database differs from the area.
func Drifted(plan *staging.Plan) (lines []string) {
	for _, c := range plan.Changes {
		line := c.Action + " " + c.Kind + " " + c.Name
		if c.Why != "" {
			line += ": " + c.Why
		}
		lines = append(lines, line)
	}
	return slices.Compact(lines)
}
