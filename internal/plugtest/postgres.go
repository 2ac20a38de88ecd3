package plugtest

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ebbgate/ebbgate/internal/sandbox/postgres"
)

// Postgres returns the DSN of an empty PostgreSQL database made for this test and dropped after it, as superuser. The
// server behind it is shared by the tests of one binary, and so are its roles. A test is skipped when this machine has no
// PostgreSQL, unless EBBGATE_REQUIRE_ENGINE=1.
func Postgres(t testing.TB) string {
	t.Helper()
	needPostgres(t)
	sharedPostgres.Do(func() { postgresServer, postgresError = startSharedPostgres() })
	if postgresError != nil {
		t.Fatal(postgresError)
	}
	return postgresDatabase(t, postgresServer.address)
}

// PostgresProcess starts a PostgreSQL of the test's own, which it may kill and start again.
func PostgresProcess(t testing.TB) *Process {
	t.Helper()
	needPostgres(t)
	return newProcess(t, rolePostgres, "")
}

// PostgresDSN is the superuser's DSN of the server's own database.
func (p *Process) PostgresDSN() string {
	return postgres.DSN(p.address, postgres.User, postgres.Database)
}

var (
	sharedPostgres sync.Once
	postgresServer *Process
	postgresError  error
)

func needPostgres(t testing.TB) {
	t.Helper()
	if _, err := postgres.Find(); err != nil {
		if os.Getenv(EnvRequireEngine) == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func startSharedPostgres() (*Process, error) {
	dir, err := os.MkdirTemp("", "ebbgate-plugtest-")
	if err != nil {
		return nil, err
	}
	p := &Process{role: rolePostgres, dir: filepath.Join(dir, "data"), remove: dir, address: "127.0.0.1:0"}
	return p, p.start()
}

func postgresDatabase(t testing.TB, address string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())[:12]
	execute := func(ctx context.Context, sql string) error {
		conn, err := pgx.Connect(ctx, postgres.DSN(address, postgres.User, "postgres"))
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, sql)
		return err
	}
	if err := execute(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := execute(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Log(err)
		}
	})
	return postgres.DSN(address, postgres.User, name)
}
