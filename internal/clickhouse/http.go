package clickhouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// httpInserter posts blocks in Native format.
type httpInserter struct {
	opts    *driver.Options
	client  *http.Client
	packers chan *packer // idle ones
	pack    Compression
	next    atomic.Uint32
}

func newHTTPInserter(opts *driver.Options, o Options) (inserter, error) {
	dialer := &net.Dialer{Timeout: opts.DialTimeout}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     opts.TLS,
		MaxIdleConnsPerHost: max(o.MaxInserts, 1),
		// The write buffer's default of 4 kB would make a system call of every few rows.
		WriteBufferSize: 256 << 10,
	}
	if opts.HTTPProxyURL != nil {
		transport.Proxy = http.ProxyURL(opts.HTTPProxyURL)
	}
	h := &httpInserter{opts: opts, client: &http.Client{Transport: transport}, pack: o.Compression}
	h.packers = make(chan *packer, max(o.MaxInserts, 1))
	return h, nil
}

func (h *httpInserter) close() error {
	h.client.CloseIdleConnections()
	return nil
}

// send tries one address. A failed one is left for the next call, which the caller makes only after reading back.
func (h *httpInserter) send(ctx context.Context, in *Insert) error {
	p := h.packer()
	body, err := p.pack(in.Block.native())
	if err != nil {
		return fmt.Errorf("compressing the insert: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url(ctx, in), bytes.NewReader(body))
	if err != nil {
		return errors.New("making the insert's request: the address of the DSN is malformed")
	}
	h.headers(req)
	res, err := h.client.Do(req)
	if err != nil {
		h.next.Add(1)
		return fmt.Errorf("sending the insert: %w", bare(err))
	}
	defer res.Body.Close()
	if err := h.outcome(res); err != nil {
		return err
	}
	// After a failure the transport may still be reading the body, so only success gives its memory back.
	select {
	case h.packers <- p:
	default:
	}
	return nil
}

func (h *httpInserter) packer() *packer {
	select {
	case p := <-h.packers:
		return p
	default:
		return newPacker(h.pack)
	}
}

func (h *httpInserter) url(ctx context.Context, in *Insert) string {
	query := url.Values{}
	for name, value := range h.opts.Settings {
		query.Set(name, fmt.Sprint(value))
	}
	for _, s := range insertSettings(ctx, in) {
		query.Set(s.name, s.value)
	}
	query.Set("query", insertStatement(in)+" FORMAT Native")
	query.Set("query_id", in.QueryID)
	query.Set("database", h.opts.Auth.Database)
	// The answer must not begin before the insert is over, or a late failure would arrive behind a 200.
	query.Set("wait_end_of_query", "1")
	if h.pack != None {
		query.Set("decompress", "1")
	}
	u := url.URL{Scheme: "http", Host: h.opts.Addr[int(h.next.Load())%len(h.opts.Addr)], Path: h.opts.HttpUrlPath, RawQuery: query.Encode()}
	if h.opts.TLS != nil {
		u.Scheme = "https"
	}
	return u.String()
}

func (h *httpInserter) headers(req *http.Request) {
	for name, value := range h.opts.HttpHeaders {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("X-ClickHouse-User", h.opts.Auth.Username)
	if h.opts.Auth.Password != "" {
		req.Header.Set("X-ClickHouse-Key", h.opts.Auth.Password)
	}
}

const (
	maxAnswer       = 64 << 10
	exceptionHeader = "X-ClickHouse-Exception-Code"
)

// outcome reads the whole answer: an exception can stand in the status, in a header or, on servers that had already
// begun to answer, in the body.
func (h *httpInserter) outcome(res *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the insert's answer: %w", bare(err))
	}
	code := res.Header.Get(exceptionHeader)
	if res.StatusCode == http.StatusOK && code == "" && len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if exception, ok := parseException(string(body)); ok {
		return exception
	}
	if n, err := strconv.Atoi(code); err == nil {
		return newServerError(n, "")
	}
	return fmt.Errorf("inserting: the answer has status %d and no exception", res.StatusCode)
}

// bare takes the URL, which holds the statement, out of an HTTP client's error.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
