package tracing

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	uploadTimeout = 10 * time.Second
	exportTimeout = 30 * time.Second // of a batch of spans, with all its retries
	retryFirst    = 500 * time.Millisecond
	retryMost     = 8 * time.Second
	complainEvery = 30 * time.Second
	// answerLimit is as much of a collector's answer as is read so that the connection can be used again.
	answerLimit = 64 << 10
)

// client posts spans to one collector. It speaks the protocol itself: the exporters of the SDK bring gRPC into the binary.
type client struct {
	collector
	log   *service.Logger
	http  *http.Client
	pause time.Duration // before the first retry

	mu         sync.Mutex
	complained time.Time
}

func newClient(to collector, log *service.Logger) *client {
	return &client{collector: to, log: log, pause: retryFirst, http: &http.Client{
		Timeout: uploadTimeout,
		// Another host would be given the headers.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Start has nothing to do: a collector may come later than we do.
func (c *client) Start(context.Context) error { return nil }

// Stop lets go of the connections.
func (c *client) Stop(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces sends spans, or drops them and complains. It gives no error, which the SDK would print past our log.
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	if err := c.upload(ctx, spans); err != nil {
		c.complain(err)
	}
	return nil
}

// upload sends spans, again and again with growing pauses while the collector may yet take them, until ctx ends.
func (c *client) upload(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// On the wire TracesData is what an export request is.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encoding spans: %w", err)
	}
	for pause := c.pause; ; pause = min(2*pause, retryMost) {
		again, err := c.post(ctx, body)
		if err == nil || !again {
			return err
		}
		select {
		case <-time.After(pause/2 + rand.N(pause/2)):
		case <-ctx.Done():
			return err
		}
	}
}

// post sends a body once, and tells whether sending it again can help.
func (c *client) post(ctx context.Context, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("making a request: %w", err)
	}
	for name, values := range c.headers {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	res, err := c.http.Do(req)
	if err != nil {
		return true, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, answerLimit))
	if res.StatusCode/100 == 2 {
		return false, nil
	}
	return retryable[res.StatusCode], fmt.Errorf("the collector answered %d", res.StatusCode)
}

// retryable are the answers after which OTLP says to send again.
var retryable = map[int]bool{
	http.StatusTooManyRequests: true, http.StatusBadGateway: true, http.StatusServiceUnavailable: true, http.StatusGatewayTimeout: true,
}

// complain warns at most twice a minute.
func (c *client) complain(err error) {
	c.mu.Lock()
	due := time.Since(c.complained) > complainEvery
	if due {
		c.complained = time.Now()
	}
	c.mu.Unlock()
	if due {
		c.log.Warnf("Spans were dropped: %v", err)
	}
}
