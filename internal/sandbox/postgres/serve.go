// Package postgres runs the machine's PostgreSQL as a part of the sandbox: a cluster of its own in a folder, on loopback,
// that ends with the process that started it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ebbgate/ebbgate/internal/sandbox/child"
)

// ErrNoServer means that this machine has no PostgreSQL.
var ErrNoServer = errors.New("no PostgreSQL on this machine: install the Debian package postgresql, or put initdb and postgres on PATH")

// User is the superuser of a sandbox's cluster. It needs no password: only this machine can connect.
const User = "ebbgate"

// Database is the database a sandbox's cluster has for staging.
const Database = "marketing_stage"

const (
	poll  = 50 * time.Millisecond
	grace = 10 * time.Second
)

// Options say where a cluster lives.
type Options struct {
	Bin     string // folder of initdb and postgres; found when empty
	DataDir string
	Listen  string // loopback host:port; port 0 takes a free one
	Ready   func(address string)
}

// Find returns the folder of the newest PostgreSQL on this machine.
func Find() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), "initdb")); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4])
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	if len(found) == 0 {
		return "", ErrNoServer
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// Serve runs a cluster, made first where there is none, until ctx ends.
func Serve(ctx context.Context, opts Options) error {
	if err := child.CheckLoopback(opts.Listen); err != nil {
		return err
	}
	if opts.Bin == "" {
		bin, err := Find()
		if err != nil {
			return err
		}
		opts.Bin = bin
	}
	if err := os.MkdirAll(opts.DataDir, 0o700); err != nil {
		return fmt.Errorf("making the folder of PostgreSQL: %w", err)
	}
	who, err := unprivileged(opts.DataDir)
	if err != nil {
		return err
	}
	if err := initialise(ctx, opts, who); err != nil {
		return err
	}
	return settle(ctx, func() error { return run(ctx, opts, who) })
}

// settle runs the server again while it ends before it answers: after a kill the processes of the one before may still be
// about to end, and hold its memory and port.
func settle(ctx context.Context, run func() error) error {
	began := time.Now()
	for {
		err := run()
		if !errors.Is(err, errEnded) || time.Since(began) > grace {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(4 * poll):
		}
	}
}

// initialise makes the cluster. A folder that a killed initdb left half made is cleared first.
func initialise(ctx context.Context, opts Options, who *syscall.SysProcAttr) error {
	cluster := filepath.Join(opts.DataDir, "cluster")
	done := filepath.Join(opts.DataDir, "initialised")
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	if err := os.RemoveAll(cluster); err != nil {
		return fmt.Errorf("clearing a cluster that was not finished: %w", err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(opts.Bin, "initdb"), "--pgdata", cluster, "--username", User, "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-instructions")
	cmd.SysProcAttr, cmd.Dir, cmd.Env = who, "/", environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making a PostgreSQL cluster: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return os.WriteFile(done, nil, 0o600)
}

func run(ctx context.Context, opts Options, who *syscall.SysProcAttr) error {
	address, err := reserve(opts.Listen)
	if err != nil {
		return err
	}
	host, port, _ := net.SplitHostPort(address)
	cmd := exec.CommandContext(ctx, filepath.Join(opts.Bin, "postgres"), "-D", filepath.Join(opts.DataDir, "cluster"),
		"-c", "listen_addresses="+host, "-c", "port="+port, "-c", "unix_socket_directories=", "-c", "max_connections=60", "-c", "timezone=UTC")
	cmd.SysProcAttr, cmd.Dir, cmd.Env = who, "/", environment()
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // fast shutdown
	cmd.WaitDelay = grace
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	if err := await(ctx, address, exited); err != nil {
		return err
	}
	if opts.Ready != nil {
		opts.Ready(address)
	}
	if err := <-exited; err != nil && ctx.Err() == nil {
		return fmt.Errorf("running PostgreSQL: %w", err)
	}
	return nil
}

// environment keeps the caller's own PostgreSQL settings away.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "PG") })
}

// reserve turns port 0 into a free port: PostgreSQL cannot tell which it took.
func reserve(listen string) (string, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return "", fmt.Errorf("listening for PostgreSQL clients: %v: %w", err, errEnded)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
