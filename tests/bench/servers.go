package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/sandbox/broker"
	"github.com/ebbgate/ebbgate/internal/sandbox/child"
	"github.com/ebbgate/ebbgate/internal/sandbox/clickhouse"
)

// Roles in which this program starts itself again. The servers must not share a process with what is measured.
const (
	roleBroker     = "broker"
	roleClickHouse = "clickhouse"
)

const (
	envRole    = "EBBGATE_BENCH_ROLE"
	envDir     = "EBBGATE_BENCH_DIR"
	envLibrary = "EBBGATE_BENCH_LIBRARY"
)

// servers are a broker and a ClickHouse, each a process of its own.
type servers struct {
	brokers    string
	clickhouse string // http://host:port
	started    []*child.Process
}

func startServers(ctx context.Context, dir string) (*servers, error) {
	library, err := sandbox.Library(ctx, nil)
	if err != nil {
		return nil, err
	}
	s := &servers{}
	for _, role := range []string{roleBroker, roleClickHouse} {
		p, err := startSelf(ctx, role, dir, envLibrary+"="+library)
		if err != nil {
			s.stop()
			return nil, err
		}
		s.started = append(s.started, p)
	}
	s.brokers, s.clickhouse = s.started[0].Address(), "http://"+s.started[1].Address()
	return s, nil
}

func startSelf(ctx context.Context, role, dir string, env ...string) (*child.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return child.Start(ctx, child.Spec{
		Name: role, Command: []string{self}, Log: filepath.Join(dir, role+".log"),
		Env: append(env, envRole+"="+role, envDir+"="+filepath.Join(dir, role), "TZ=UTC"),
	})
}

func (s *servers) stop() {
	for _, p := range s.started {
		if err := p.Stop(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// serve is the main function of a server process.
func serve(role string) error {
	return child.Run(func(ctx context.Context, ready func(string)) error {
		if role == roleBroker {
			return broker.Serve(ctx, broker.Options{DataDir: os.Getenv(envDir), Listen: "127.0.0.1:0", Ready: ready})
		}
		return clickhouse.Serve(ctx, clickhouse.Options{
			Library: os.Getenv(envLibrary), DataDir: os.Getenv(envDir), Listen: "127.0.0.1:0", Ready: ready,
		})
	})
}
