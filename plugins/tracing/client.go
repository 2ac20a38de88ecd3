package tracing

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	uploadTimeout = 10 * time.Second
	complainEvery = 30 * time.Second
	// answerLimit is as much of a collector's answer as is read so that the connection can be used again.
	answerLimit = 64 << 10
)

// client posts spans to one collector. It speaks the protocol itself: the exporters of the SDK bring gRPC into the binary.
type client struct {
	url  string
	log  *service.Logger
	http *http.Client

	mu         sync.Mutex
	complained time.Time
}

func newClient(url string, log *service.Logger) *client {
	return &client{url: url, log: log, http: &http.Client{Timeout: uploadTimeout}}
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

func (c *client) upload(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// On the wire TracesData is what an export request is.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encoding spans: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, answerLimit))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answered %d", res.StatusCode)
	}
	return nil
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
