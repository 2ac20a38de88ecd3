package plugtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/sandbox/child"
)

// EnvRequireEngine, when set to 1, makes a test fail instead of skip when it
// cannot have the ClickHouse engine.
const EnvRequireEngine = "EBBGATE_REQUIRE_ENGINE"

// startTimeout bounds how long a child may take to answer, and a first fetch
// of the engine.
const startTimeout = 5 * time.Minute

// Process is a server in a process of its own, with its data on disk, which a
// test may kill and start again. Its address stays the same.
type Process struct {
	role    string
	dir     string
	remove  string // removed by the server itself when the test binary ends
	library string
	address string
	running *child.Process
}

// Kill ends the server as a crash does (SIGKILL), and waits for its end.
func (p *Process) Kill() { p.running.Kill() }

// Start starts the server again, on its data and at its address.
func (p *Process) Start(t testing.TB) {
	t.Helper()
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
}

// Address is the server's host:port.
func (p *Process) Address() string { return p.address }

// newProcess starts a server on a new data directory that goes with the test.
func newProcess(t testing.TB, role, library string) *Process {
	t.Helper()
	p := &Process{role: role, dir: filepath.Join(t.TempDir(), role), library: library, address: "127.0.0.1:0"}
	p.Start(t)
	t.Cleanup(func() {
		if err := p.running.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Log(err)
		}
	})
	return p
}

func (p *Process) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	p.running, err = child.Start(ctx, child.Spec{
		Name: p.role, Command: []string{self}, Log: p.dir + ".log",
		Env: append(p.environment(), envRemove+"="+p.remove),
	})
	if err != nil {
		return err
	}
	p.address = p.running.Address()
	return nil
}

// environment makes a test binary the server.
func (p *Process) environment() []string {
	return []string{
		envRole + "=" + p.role, envLibrary + "=" + p.library, envDir + "=" + p.dir, envListen + "=" + p.address, "TZ=UTC",
	}
}

// ClickHouseEnvironment is the environment that makes this test binary a
// ClickHouse when it is started again: for tests that start processes in a
// way of their own. The child ends with its standard input.
func ClickHouseEnvironment(t testing.TB, dir, listen string) []string {
	t.Helper()
	return (&Process{role: roleClickHouse, dir: dir, address: listen, library: library(t)}).environment()
}

// library finds or fetches the engine; without it the test is skipped.
func library(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	path, err := sandbox.Library(ctx, nil)
	switch {
	case err == nil:
		return path
	case os.Getenv(EnvRequireEngine) == "1":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return ""
}
