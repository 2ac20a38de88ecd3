package plugtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// ClickHouse returns the DSN of a ClickHouse database made for this test and
// dropped after it: "http://127.0.0.1:port/test_...". The server behind it is
// shared by the tests of one binary, so tests may run in parallel. A test is
// skipped when the engine cannot be had, unless EBBGATE_REQUIRE_ENGINE=1.
func ClickHouse(t testing.TB) string {
	t.Helper()
	path := library(t)
	shared.Do(func() { sharedServer, sharedError = startShared(path) })
	if sharedError != nil {
		t.Fatal(sharedError)
	}
	return database(t, sharedServer.address)
}

// ClickHouseProcess starts a ClickHouse of the test's own, which it may kill
// and start again.
func ClickHouseProcess(t testing.TB) *Process {
	t.Helper()
	return newProcess(t, roleClickHouse, library(t))
}

// DSN is the server's ClickHouse DSN for the given database, which must exist.
// The engine's own `default` takes tables, but no refreshable views: a test of
// those makes a database first.
func (p *Process) DSN(database string) string { return "http://" + p.address + "/" + database }

var (
	shared       sync.Once
	sharedServer *Process
	sharedError  error
)

// startShared starts the server all tests of a binary share. It ends, and
// removes its data, when the test binary does: no test owns it.
func startShared(library string) (*Process, error) {
	dir, err := os.MkdirTemp("", "ebbgate-plugtest-")
	if err != nil {
		return nil, fmt.Errorf("creating the engine's data directory: %w", err)
	}
	p := &Process{role: roleClickHouse, dir: filepath.Join(dir, "data"), remove: dir, library: library, address: "127.0.0.1:0"}
	return p, p.start()
}

// database makes a database for one test.
func database(t testing.TB, address string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())[:12]
	if err := execute(t.Context(), address, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := execute(context.WithoutCancel(t.Context()), address, "DROP DATABASE "+name+" SYNC"); err != nil {
			t.Log(err)
		}
	})
	return "http://" + address + "/" + name
}

func execute(ctx context.Context, address, statement string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", strings.NewReader(statement))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the engine: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the engine: %s: %s", res.Status, text)
	}
	return nil
}
