package clickhouse_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/sandbox/clickhouse"
)

// program writes a script that takes the place of a `clickhouse` binary.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clickhouse")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	return path
}

// A machine with a ClickHouse on PATH is rare, so a script stands in for the
// binary's command line and its configuration: behind it runs the embedded
// engine, at the port the configuration names.
func TestServeBinaryConfiguresAndEndsAServer(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	env := plugtest.ClickHouseEnvironment(t, filepath.Join(t.TempDir(), "data"), "127.0.0.1:$port")
	binary := program(t, fmt.Sprintf(`test "$1" = server || exit 9
config="${2#--config-file=}"
port=$(sed -n 's:.*<http_port>\(.*\)</http_port>.*:\1:p' "$config")
grep -q '<listen_host>127.0.0.1</listen_host>' "$config" || exit 8
mkfifo "$(dirname "$config")/stdin"
export %s
exec %s 0<>"$(dirname "$config")/stdin"`, strings.Join(env, " "), self))
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- clickhouse.ServeBinary(ctx, binary, clickhouse.Options{
			DataDir: filepath.Join(t.TempDir(), "server"), Listen: "127.0.0.1:0", Ready: func(address string) { ready <- address },
		})
	}()
	var address string
	select {
	case address = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	stop()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(30 * time.Second):
		t.Fatal("the server did not end")
	}
	_, err = net.Dial("tcp", address)
	require.Error(t, err)
}

func TestServeBinaryReportsAServerThatEnds(t *testing.T) {
	err := clickhouse.ServeBinary(t.Context(), program(t, "exit 3"), clickhouse.Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0"})
	require.ErrorContains(t, err, "the server ended at once")
	err = clickhouse.ServeBinary(t.Context(), filepath.Join(t.TempDir(), "absent"), clickhouse.Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0"})
	require.ErrorContains(t, err, "starting")
}

func TestServeRefusesWhatItCannotUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err := clickhouse.Serve(t.Context(), clickhouse.Options{DataDir: filepath.Join(file, "x"), Listen: "127.0.0.1:0"})
	require.ErrorContains(t, err, "creating the data directory")
	for _, address := range []string{"0.0.0.0:0", "192.0.2.1:80", "localhost:0", "nonsense"} {
		opts := clickhouse.Options{DataDir: t.TempDir(), Listen: address}
		require.ErrorContains(t, clickhouse.Serve(t.Context(), opts), "address to listen on")
		require.ErrorContains(t, clickhouse.ServeBinary(t.Context(), "clickhouse", opts), "address to listen on")
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	err = clickhouse.Serve(t.Context(), clickhouse.Options{DataDir: t.TempDir(), Listen: taken.Addr().String()})
	require.ErrorContains(t, err, "listening for ClickHouse clients")
	err = clickhouse.Serve(t.Context(), clickhouse.Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0", Library: file})
	require.ErrorContains(t, err, "loading the ClickHouse engine")
}
