package clickhouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Compression of insert bodies.
type Compression string

// The compressions an insert can use. LZ4 is the best on a network; None is cheapest on one machine.
const (
	LZ4  Compression = "lz4"
	ZSTD Compression = "zstd"
	None Compression = "none"
)

// Options say where the server is and how to talk to it.
type Options struct {
	DSN         string // clickhouse://, clickhouses://, http:// or https://
	Database    string // overrides the DSN's
	Compression Compression
	Timeout     time.Duration // of one insert or query; 0 for the context's own
	MaxInserts  int           // inserts at one time
}

// Client talks to one ClickHouse. It is safe for concurrent use and reconnects by itself.
type Client struct {
	conn     driver.Conn
	insert   inserter
	database string
	timeout  time.Duration
}

// Insert is one block on its way into a table.
type Insert struct {
	Table   string // unquoted, in the client's database
	Block   *Block
	Token   string // insert_deduplication_token
	QueryID string // by which the server's query log names the insert
}

// inserter sends a block and returns nil only once the server has confirmed it.
type inserter interface {
	send(ctx context.Context, in *Insert) error
	close() error
}

// ErrOptions is wrapped by Open's errors: the options can never work.
var ErrOptions = errors.New("ClickHouse options")

// Open prepares a client; it does not connect. The error never holds the DSN, which may hold a password.
func Open(o Options) (*Client, error) {
	opts, err := driver.ParseDSN(o.DSN)
	if err != nil {
		return nil, fmt.Errorf("%w: the DSN must read clickhouse://user:password@host:9000/database or https://user:password@host:8443/database", ErrOptions)
	}
	opts.Auth.Database = cmp.Or(o.Database, opts.Auth.Database, "default")
	opts.Auth.Username = cmp.Or(opts.Auth.Username, "default")
	opts.Compression = &driver.Compression{Method: driver.CompressionNone}
	opts.ClientInfo.Products = append(opts.ClientInfo.Products, struct{ Name, Version string }{"ebbgate", "1"})
	conn, err := driver.Open(opts)
	if err != nil {
		return nil, fmt.Errorf("%w: the driver refuses the DSN's settings", ErrOptions)
	}
	c := &Client{conn: conn, database: opts.Auth.Database, timeout: o.Timeout}
	if opts.Protocol == driver.HTTP {
		c.insert, err = newHTTPInserter(opts, o)
	} else {
		c.insert = newNativeInserter(opts, o)
	}
	return c, err
}

// Database is the database the client works in.
func (c *Client) Database() string { return c.database }

// Close gives up all connections.
func (c *Client) Close() error { return errors.Join(c.insert.close(), c.conn.Close()) }

func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.timeout)
}

// Ping asks the server for a sign of life.
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if err := c.conn.Ping(ctx); err != nil {
		return fmt.Errorf("pinging ClickHouse: %w", serverError(err))
	}
	return nil
}

// Exec runs a statement without a result.
func (c *Client) Exec(ctx context.Context, query string, args ...any) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return serverError(c.conn.Exec(ctx, query, args...))
}

// Query runs a statement and calls row for each row of its result; row's error ends it.
func (c *Client) Query(ctx context.Context, query string, args []any, row func(scan func(dest ...any) error) error) (err error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	rows, err := c.conn.Query(ctx, query, args...)
	if err != nil {
		return serverError(err)
	}
	defer func() {
		err = errors.Join(err, serverError(rows.Close()))
	}()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return serverError(rows.Err())
}

// Insert sends the block as one insert. See the package comment for what its errors mean.
func (c *Client) Insert(ctx context.Context, in Insert) error {
	if err := in.Block.even(); err != nil {
		return fmt.Errorf("encoding the insert: %w", err)
	}
	if in.Block.Rows() == 0 {
		return nil
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return serverError(c.insert.send(ctx, &in))
}

// InFlight counts the inserts that run on the connected server under a deduplication token that contains part: their
// sender may be gone, and they may yet put rows in.
func (c *Client) InFlight(ctx context.Context, part string) (n uint64, err error) {
	err = c.Query(ctx, "SELECT count() FROM system.processes WHERE position(Settings['insert_deduplication_token'], ?) > 0", []any{part},
		func(scan func(...any) error) error { return scan(&n) })
	return n, err
}

// Quote quotes an identifier.
func Quote(name string) string { return quoteWith('`', name) }

// Literal quotes a string.
func Literal(text string) string { return quoteWith('\'', text) }

func quoteWith(quote byte, text string) string {
	out := make([]byte, 0, len(text)+2)
	out = append(out, quote)
	for i := range len(text) {
		if text[i] == quote || text[i] == '\\' {
			out = append(out, '\\')
		}
		out = append(out, text[i])
	}
	return string(append(out, quote))
}
