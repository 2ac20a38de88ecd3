package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
)

type httpOptions struct {
	base     *url.URL
	timeout  time.Duration
	ttl      time.Duration
	size     int
	inFlight int
}

const (
	httpBodyLimit = 64 << 10
	httpRetryMost = 5 * time.Second
)

// httpConsent asks a consent service. It is safe for concurrent use; inFlight bounds all its users together.
type httpConsent struct {
	opts   httpOptions
	client *http.Client
	slots  chan struct{}
	cache  *cache
	log    *service.Logger
	failed *service.MetricCounter
	asked  *service.MetricCounter
}

func newHTTPConsent(opts httpOptions, mgr *service.Resources) *httpConsent {
	h := &httpConsent{
		opts: opts,
		client: &http.Client{
			Timeout: opts.timeout,
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				MaxIdleConnsPerHost: opts.inFlight,
				IdleConnTimeout:     30 * time.Second,
				ForceAttemptHTTP2:   true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots: make(chan struct{}, opts.inFlight),
		log:   mgr.Logger(), asked: mgr.Metrics().NewCounter("ebbgate_state_http_requests_total"),
		failed: mgr.Metrics().NewCounter("ebbgate_state_http_failures_total"),
	}
	if opts.ttl > 0 {
		h.cache = newCache(opts.size, opts.ttl)
	}
	return h
}

func (h *httpConsent) close() { h.client.CloseIdleConnections() }

// fill sets the consent of every state, asking once per distinct key. All answers are newer than the call, or than the
// call less cache_ttl.
func (h *httpConsent) fill(ctx context.Context, keys []string, states []consent.State) error {
	places := make(map[string][]int, len(keys))
	for i, key := range keys {
		places[key] = append(places[key], i)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for key, at := range places {
		if rec, ok := h.cache.get(key); ok {
			put(states, at, rec)
			continue
		}
		select {
		case h.slots <- struct{}{}:
		case <-ctx.Done():
			wg.Wait()
			return context.Cause(ctx)
		}
		wg.Go(func() {
			defer func() { <-h.slots }()
			rec, err := h.askUntil(ctx, key)
			if err != nil {
				cancel(err)
				return
			}
			put(states, at, rec) // places of distinct keys do not overlap
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func put(states []consent.State, at []int, rec *consent.Record) {
	for _, i := range at {
		states[i].Consent = rec
	}
}

// askUntil asks until the service answers or ctx ends.
func (h *httpConsent) askUntil(ctx context.Context, key string) (*consent.Record, error) {
	wait := 50 * time.Millisecond
	for {
		asked := time.Now()
		h.asked.Incr(1)
		rec, err := h.ask(ctx, key)
		if err == nil {
			h.cache.put(key, rec, asked)
			return rec, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("waiting for the consent service: %w", context.Cause(ctx))
		}
		h.failed.Incr(1)
		h.log.Debugf("Waiting for the consent service: %v", err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		wait = min(2*wait, httpRetryMost)
	}
}

// ask returns nil without an error when the service has no record of the key.
func (h *httpConsent) ask(ctx context.Context, key string) (*consent.Record, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.opts.base.JoinPath(url.PathEscape(key)).String(), nil)
	if err != nil {
		return nil, errors.New("making the request")
	}
	req.Header.Set("Accept", "application/json")
	res, err := h.client.Do(req)
	if err != nil {
		var in *url.Error
		if errors.As(err, &in) {
			err = in.Err // without the address, which holds the key
		}
		return nil, fmt.Errorf("asking the consent service: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, httpBodyLimit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the consent service's answer: %w", err)
	case res.StatusCode == http.StatusNotFound:
		return nil, nil
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("asking the consent service: status %d", res.StatusCode)
	case len(body) > httpBodyLimit:
		return unreadableConsent, nil
	}
	if !json.Valid(body) { // a login page or a proxy's excuse: nobody answered for the service
		return nil, errors.New("reading the consent service's answer: it is not JSON")
	}
	rec, _, err := decodeConsent(body)
	if err != nil {
		return unreadableConsent, nil
	}
	return rec, nil
}
