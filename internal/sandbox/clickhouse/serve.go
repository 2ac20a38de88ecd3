package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ebbgate/ebbgate/internal/sandbox/chdb"
	"github.com/ebbgate/ebbgate/internal/sandbox/child"
)

// shutdownGrace is how long running statements may take when the server ends.
const shutdownGrace = 10 * time.Second

// Options say what to serve and where.
type Options struct {
	Library string // path of libchdb
	DataDir string // kept across restarts
	Listen  string // loopback address; port 0 takes a free one
	// Ready, when set, is called once with the address that answers.
	Ready func(address string)
}

// Serve runs the engine and its HTTP interface until ctx ends. It may be
// called once in a process.
func Serve(ctx context.Context, opts Options) error {
	if err := child.CheckLoopback(opts.Listen); err != nil {
		return err
	}
	if err := checkDir(opts.DataDir); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", opts.Listen)
	if err != nil {
		return fmt.Errorf("listening for ClickHouse clients: %w", err)
	}
	defer listener.Close()
	lib, err := chdb.LoadLibrary(opts.Library)
	if err != nil {
		return err
	}
	engine, err := chdb.Open(lib, opts.DataDir)
	if err != nil {
		return err
	}
	defer engine.Close()
	handler, err := NewHandler(engine)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if opts.Ready != nil {
		opts.Ready(listener.Addr().String())
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serving ClickHouse clients: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("closing client connections: %w", err)
	}
	return nil
}

// checkDir creates the data directory and makes sure it can be written.
func checkDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("creating the data directory: %w", err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return fmt.Errorf("writing to the data directory %s: %w", filepath.Clean(dir), err)
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return fmt.Errorf("writing to the data directory %s: %w", filepath.Clean(dir), err)
	}
	return nil
}
