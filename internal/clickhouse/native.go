package clickhouse

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ClickHouse/ch-go"
	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// nativeInserter sends blocks over the native TCP protocol. Connections are kept between inserts and given up after
// any error, because an interrupted conversation cannot be taken up again.
type nativeInserter struct {
	base ch.Options
	addr []string
	next atomic.Uint32

	mu   sync.Mutex
	idle []*ch.Client
	keep int
}

func newNativeInserter(opts *driver.Options, o Options) inserter {
	base := ch.Options{
		Database:    opts.Auth.Database,
		User:        opts.Auth.Username,
		Password:    opts.Auth.Password,
		ClientName:  "ebbgate",
		DialTimeout: opts.DialTimeout,
		TLS:         opts.TLS,
		// The insert's own deadline bounds the wait for an answer.
		ReadTimeout: ch.NoTimeout,
		Compression: ch.CompressionLZ4,
	}
	switch o.Compression {
	case ZSTD:
		base.Compression = ch.CompressionZSTD
	case None:
		base.Compression = ch.CompressionDisabled
	}
	for name, value := range opts.Settings {
		base.Settings = append(base.Settings, ch.Setting{Key: name, Value: fmt.Sprint(value), Important: true})
	}
	return &nativeInserter{base: base, addr: opts.Addr, keep: max(o.MaxInserts, 1)}
}

func (n *nativeInserter) send(ctx context.Context, in *Insert) error {
	client, err := n.take(ctx)
	if err != nil {
		return fmt.Errorf("connecting for the insert: %w", err)
	}
	query := ch.Query{Body: insertStatement(in) + " VALUES", QueryID: in.QueryID, Input: in.Block.input}
	for _, s := range insertSettings(ctx, in) {
		query.Settings = append(query.Settings, ch.Setting{Key: s.name, Value: s.value, Important: true})
	}
	if err := client.Do(ctx, query); err != nil {
		_ = client.Close()
		return fmt.Errorf("inserting: %w", serverError(err))
	}
	n.put(client)
	return nil
}

func (n *nativeInserter) take(ctx context.Context) (*ch.Client, error) {
	if client := n.pop(); client != nil {
		// A connection that idled may be gone; a ping tells before rows are on their way and the outcome is unknown.
		if client.Ping(ctx) == nil {
			return client, nil
		}
		_ = client.Close()
	}
	options := n.base
	options.Address = n.addr[int(n.next.Load())%len(n.addr)]
	client, err := ch.Dial(ctx, options)
	if err != nil {
		n.next.Add(1)
		return nil, serverError(err)
	}
	return client, nil
}

func (n *nativeInserter) pop() *ch.Client {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.idle) == 0 {
		return nil
	}
	client := n.idle[len(n.idle)-1]
	n.idle = n.idle[:len(n.idle)-1]
	return client
}

func (n *nativeInserter) put(client *ch.Client) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.idle) < n.keep {
		n.idle = append(n.idle, client)
		return
	}
	_ = client.Close()
}

func (n *nativeInserter) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, client := range n.idle {
		_ = client.Close()
	}
	n.idle = nil
	return nil
}
