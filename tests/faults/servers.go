package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ebbgate/ebbgate/internal/sandbox/child"
	"github.com/ebbgate/ebbgate/internal/sandbox/clickhouse"
	"github.com/ebbgate/ebbgate/internal/sandbox/postgres"
)

// Roles in which this program starts itself again.
const (
	roleBrokers    = "brokers"
	roleClickHouse = "clickhouse"
	rolePostgres   = "postgres"
)

const (
	envRole    = "EBBGATE_FAULTS_ROLE"
	envDir     = "EBBGATE_FAULTS_DIR"
	envListen  = "EBBGATE_FAULTS_LISTEN"
	envLibrary = "EBBGATE_FAULTS_LIBRARY"
	envSeed    = "EBBGATE_FAULTS_SEED"
	envQuiet   = "EBBGATE_FAULTS_QUIET" // no answers with errors, nothing moves
)

// serve is the main function of a server process.
func serve(role string) error {
	return child.Run(func(ctx context.Context, ready func(string)) error {
		dir, listen := os.Getenv(envDir), os.Getenv(envListen)
		switch role {
		case roleBrokers:
			seed, err := strconv.ParseUint(os.Getenv(envSeed), 10, 64)
			if err != nil {
				return err
			}
			return serveBrokers(ctx, dir, listen, seed, ready)
		case roleClickHouse:
			return clickhouse.Serve(ctx, clickhouse.Options{Library: os.Getenv(envLibrary), DataDir: dir, Listen: listen, Ready: ready})
		case rolePostgres:
			return postgres.Serve(ctx, postgres.Options{DataDir: dir, Listen: listen, Ready: ready})
		}
		return fmt.Errorf("no role %q", role)
	})
}

// server is a process that is killed and started again on its data and at its address.
type server struct {
	role, dir, listen string
	env               []string
	starts            int
	running           *child.Process
}

func (s *server) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.starts++
	s.running, err = child.Start(ctx, child.Spec{
		Name: s.role, Command: []string{self}, Log: filepath.Join(filepath.Dir(s.dir), s.role+".log"),
		Env: append(s.env, envRole+"="+s.role, envDir+"="+s.dir, envListen+"="+s.listen, envSeed+"="+strconv.Itoa(s.starts), "TZ=UTC"),
	})
	return err
}

func (s *server) restart(ctx context.Context) error {
	s.running.Kill()
	return s.start(ctx)
}

// calm ends the pipelines and has the brokers answer without errors, so that all can be counted.
func (r *rig) calm(ctx context.Context) error {
	for len(r.running) > 0 {
		in := r.running[0]
		if err := in.leave(); err != nil {
			return err
		}
		r.forget(in)
	}
	r.brokers.env = append(r.brokers.env, envQuiet+"=1")
	if err := r.brokers.restart(ctx); err != nil {
		return err
	}
	return r.connect() // leaders have moved
}

// freePorts are loopback ports that nobody listens on.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() // after all were found, so that they differ
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
