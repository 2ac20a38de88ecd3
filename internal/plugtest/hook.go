package plugtest

import (
	"context"
	"fmt"
	"os"

	"github.com/ebbgate/ebbgate/internal/sandbox/broker"
	"github.com/ebbgate/ebbgate/internal/sandbox/child"
	"github.com/ebbgate/ebbgate/internal/sandbox/clickhouse"
	"github.com/ebbgate/ebbgate/internal/sandbox/postgres"
)

// The environment of a test binary that was started as a child.
const (
	envRole    = "EBBGATE_PLUGTEST_ROLE"
	envLibrary = "EBBGATE_PLUGTEST_LIBRARY"
	envDir     = "EBBGATE_PLUGTEST_DIR"
	envListen  = "EBBGATE_PLUGTEST_LISTEN"
	envRemove  = "EBBGATE_PLUGTEST_REMOVE" // a folder the child removes when it ends in order
)

const (
	roleClickHouse = "clickhouse"
	roleBroker     = "broker"
	rolePostgres   = "postgres"
)

// A test binary that imports this package and was started as a child becomes
// that child here, before any test or TestMain runs: a test needs no code of
// its own for it.
var _ = becomeChild()

func becomeChild() bool {
	var serve func(ctx context.Context, ready func(string)) error
	switch os.Getenv(envRole) {
	case "":
		return false
	case roleClickHouse:
		serve = func(ctx context.Context, ready func(string)) error {
			return clickhouse.Serve(ctx, clickhouse.Options{
				Library: os.Getenv(envLibrary), DataDir: os.Getenv(envDir), Listen: os.Getenv(envListen), Ready: ready,
			})
		}
	case roleBroker:
		serve = func(ctx context.Context, ready func(string)) error {
			return broker.Serve(ctx, broker.Options{
				DataDir: os.Getenv(envDir), Listen: os.Getenv(envListen), Sync: true, Log: os.Stderr, Ready: ready,
			})
		}
	case rolePostgres:
		serve = func(ctx context.Context, ready func(string)) error {
			return postgres.Serve(ctx, postgres.Options{DataDir: os.Getenv(envDir), Listen: os.Getenv(envListen), Ready: ready})
		}
	}
	if err := child.Run(serve); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if dir := os.Getenv(envRemove); dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(0)
	return true
}
