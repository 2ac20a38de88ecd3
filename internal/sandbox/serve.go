package sandbox

import (
	"context"
	"errors"
	"os"

	"github.com/ebbgate/ebbgate/internal/sandbox/broker"
	"github.com/ebbgate/ebbgate/internal/sandbox/child"
	"github.com/ebbgate/ebbgate/internal/sandbox/clickhouse"
)

// ServeOptions are what a child is started with.
type ServeOptions struct {
	Data    string // its data directory
	Listen  string // loopback host:port
	Library string // ClickHouse: the embedded engine
	Binary  string // ClickHouse: a `clickhouse` binary instead
}

// ServeBroker is the main function of the broker's process. Every batch is
// on disk before it is acknowledged.
func ServeBroker(opts ServeOptions) error {
	return child.Run(func(ctx context.Context, ready func(string)) error {
		return broker.Serve(ctx, broker.Options{DataDir: opts.Data, Listen: opts.Listen, Sync: true, Log: os.Stderr, Ready: ready})
	})
}

// ServeClickHouse is the main function of ClickHouse's process.
func ServeClickHouse(opts ServeOptions) error {
	serve := clickhouse.Options{Library: opts.Library, DataDir: opts.Data, Listen: opts.Listen}
	switch {
	case opts.Library != "":
		return child.Run(func(ctx context.Context, ready func(string)) error {
			serve.Ready = ready
			return clickhouse.Serve(ctx, serve)
		})
	case opts.Binary != "":
		return child.Run(func(ctx context.Context, ready func(string)) error {
			serve.Ready = ready
			return clickhouse.ServeBinary(ctx, opts.Binary, serve)
		})
	}
	return errors.New("serving ClickHouse: neither --library nor --binary is given")
}
