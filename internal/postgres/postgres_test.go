package postgres_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/postgres"
	"github.com/ebbgate/ebbgate/internal/staging"
)

// area is the shipped one with roles of this test's own: roles belong to the whole server.
func area(t *testing.T, changes ...string) *staging.Area {
	t.Helper()
	src, err := os.ReadFile("../../pipelines/staging.yaml")
	require.NoError(t, err)
	suffix := "_" + strings.ToLower(rand.Text())[:8]
	replace := append([]string{"stage_owner", "stage_owner" + suffix, "stage_writer", "stage_writer" + suffix, "stitch_reader", "stitch_reader" + suffix}, changes...)
	a, err := staging.Parse([]byte(strings.NewReplacer(replace...).Replace(string(src))), staging.File)
	require.NoError(t, err)
	return a
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// as is the DSN of another role.
func as(t *testing.T, dsn, role string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	u.User = url.User(role)
	return u.String()
}

func TestApplyMakesTheAreaOnceAndPlanFindsNothingMore(t *testing.T) {
	a, conn := area(t), connect(t, plugtest.Postgres(t))
	done, err := postgres.Apply(t.Context(), conn, a, false)
	require.NoError(t, err)
	require.NotEmpty(t, done.Changes)
	again, err := postgres.Apply(t.Context(), conn, a, false)
	require.NoError(t, err)
	require.Empty(t, again.Changes, "%v", postgres.Drifted(again))
	require.Empty(t, again.Notes)
}

// TestApplyWithoutASuperuser is how a managed database is.
func TestApplyWithoutASuperuser(t *testing.T) {
	dsn := plugtest.Postgres(t)
	root, a := connect(t, dsn), area(t)
	admin := "admin_" + strings.ToLower(rand.Text())[:8]
	database := root.Config().Database
	for _, sql := range []string{"CREATE ROLE " + admin + " LOGIN CREATEROLE", "ALTER DATABASE " + database + " OWNER TO " + admin} {
		_, err := root.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	conn := connect(t, as(t, dsn, admin))
	_, err := postgres.Apply(t.Context(), conn, a, false)
	require.NoError(t, err)
	plan, err := postgres.MakePlan(t.Context(), conn, a, false)
	require.NoError(t, err)
	require.Empty(t, plan.Changes, "%v", postgres.Drifted(plan))
}

func TestDriftIsFoundAndMended(t *testing.T) {
	conn, a := connect(t, plugtest.Postgres(t)), area(t)
	_, err := postgres.Apply(t.Context(), conn, a, false)
	require.NoError(t, err)
	for _, tc := range []struct{ break_, want string }{
		{"ALTER TABLE stitch_stage.marketing_events DISABLE TRIGGER stamp", "is disabled: rows would not be numbered"},
		{"DROP TRIGGER stamp ON stitch_stage.privacy_deletions", "create trigger stamp on stitch_stage.privacy_deletions"},
		{"DROP INDEX stitch_stage.customer_profiles_row_seq", "index customer_profiles_row_seq is missing"},
		{"ALTER TABLE stitch_stage.customer_profiles ALTER COLUMN row_seq DROP NOT NULL", "column row_seq lets NULL in"},
		{"ALTER TABLE stitch_stage.customer_profiles DROP COLUMN plan", "column plan is missing"},
		{"GRANT DELETE ON stitch_stage.customer_profiles TO " + a.Writer, "revoke table DELETE stitch_stage.customer_profiles"},
		{"GRANT CONNECT ON DATABASE " + conn.Config().Database + " TO PUBLIC", "revoke database CONNECT"},
		{"REVOKE SELECT ON stitch_stage.subscription_facts FROM " + a.Reader, "grant table SELECT stitch_stage.subscription_facts"},
		{"ALTER SEQUENCE stage_internal.row_seq CACHE 20", "hands out numbers ahead"},
		{"CREATE OR REPLACE FUNCTION stage_internal.begin_batch() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'", "alter function begin_batch"},
		{"ALTER ROLE " + a.Reader + " RESET timezone", "would read times in another zone"},
	} {
		_, err := conn.Exec(t.Context(), tc.break_)
		require.NoError(t, err, tc.break_)
		plan, err := postgres.Apply(t.Context(), conn, a, false)
		require.NoError(t, err, tc.break_)
		require.Contains(t, strings.Join(postgres.Drifted(plan), "\n"), tc.want, tc.break_)
		plan, err = postgres.MakePlan(t.Context(), conn, a, false)
		require.NoError(t, err)
		require.Empty(t, plan.Changes, tc.break_)
	}
}

func TestWhatCannotBeMendedStopsApply(t *testing.T) {
	conn, a := connect(t, plugtest.Postgres(t)), area(t)
	_, err := postgres.Apply(t.Context(), conn, a, false)
	require.NoError(t, err)
	for _, tc := range []struct{ break_, undo, want string }{
		{"ALTER TABLE stitch_stage.customer_profiles ALTER COLUMN country TYPE varchar(2)", "ALTER TABLE stitch_stage.customer_profiles ALTER COLUMN country TYPE text", "give the new meaning a new name"},
		{"ALTER TABLE stitch_stage.customer_profiles DROP CONSTRAINT customer_profiles_pkey", "ALTER TABLE stitch_stage.customer_profiles ADD PRIMARY KEY (subject_key)", "its primary key is ()"},
		{"ALTER TABLE stitch_stage.privacy_deletions RENAME TO kept; CREATE VIEW stitch_stage.privacy_deletions AS SELECT * FROM stitch_stage.kept", "DROP VIEW stitch_stage.privacy_deletions; ALTER TABLE stitch_stage.kept RENAME TO privacy_deletions", "a view stands in its place"},
		{"ALTER TABLE stitch_stage.customer_profiles ADD COLUMN email text", "ALTER TABLE stitch_stage.customer_profiles DROP COLUMN email", "is no longer declared, so erasure would not empty it"},
	} {
		_, err := conn.Exec(t.Context(), tc.break_)
		require.NoError(t, err, tc.break_)
		_, err = postgres.Apply(t.Context(), conn, a, false)
		require.ErrorContains(t, err, tc.want)
		_, err = conn.Exec(t.Context(), tc.undo)
		require.NoError(t, err, tc.undo)
	}
}

// TestRolesMayNoMoreThanTheyNeed tries what the grants forbid.
func TestRolesMayNoMoreThanTheyNeed(t *testing.T) {
	dsn := plugtest.Postgres(t)
	conn, a := connect(t, dsn), area(t)
	_, err := postgres.Apply(t.Context(), conn, a, false)
	require.NoError(t, err)
	for role, refused := range map[string][]string{
		a.Reader: {
			"INSERT INTO stitch_stage.privacy_deletions DEFAULT VALUES", "CREATE TEMP TABLE t ()",
			"CREATE TABLE stitch_stage.t ()", "SELECT nextval('stage_internal.row_seq')", "SELECT * FROM stage_internal.row_subjects",
			"SELECT stage_internal.begin_batch()", "UPDATE stitch_stage.customer_profiles SET plan = ''", "SELECT * FROM stage_internal.write_gate",
		},
		a.Writer: {
			"DELETE FROM stitch_stage.customer_profiles", "TRUNCATE stitch_stage.marketing_events", "SELECT nextval('stage_internal.row_seq')",
			"SELECT stage_internal.purge()", "INSERT INTO stitch_stage.privacy_deletions DEFAULT VALUES", "UPDATE stitch_stage.campaign_performance SET people = 0",
			"DELETE FROM stage_internal.erased_subjects", "ALTER TABLE stitch_stage.customer_profiles DISABLE TRIGGER stamp",
		},
	} {
		session := connect(t, as(t, dsn, role))
		_, err := session.Exec(t.Context(), "SET default_transaction_read_only = off")
		require.NoError(t, err, "the setting is a courtesy; grants are what holds")
		for _, sql := range refused {
			_, err := session.Exec(t.Context(), sql)
			require.ErrorContains(t, err, "(SQLSTATE 42501)", "%s: %s", role, sql)
		}
	}
}
