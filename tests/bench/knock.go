package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ebbgate/ebbgate/internal/signature"
)

// knock sends a round of requests and waits for their answers, each of which must be 200.
func (d *doors) knock(ctx context.Context, role, address string, r *doorRun) error {
	if err := reach(ctx, address); err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: doorWorkers, MaxConnsPerHost: doorWorkers}}
	defer client.CloseIdleConnections()
	if role != roleWebhook && role != roleUnkept {
		var err error
		r.requests, r.wall, err = many(doorBatches, 0, func(int) error { return d.sendBatch(ctx, client, address) }, nil)
		return err
	}
	scheme, err := signature.New(signature.Config{Provider: "stripe", Secrets: []signature.Secret{{ID: "main", Value: d.secret}}})
	if err != nil {
		return err
	}
	deliver := func(n int) error { return deliverStripe(ctx, client, scheme, address, n) }
	if r.requests, r.wall, err = many(doorHooks, 0, deliver, nil); err != nil {
		return err
	}
	if d.everyHalf == 0 { // of the first door, so that both are asked at one rate
		d.everyHalf = 2 * r.wall / doorHooks
	}
	took := make([]time.Duration, doorHooks/4)
	more, _, err := many(len(took), d.everyHalf, func(n int) error { return deliver(doorHooks + n) }, took)
	r.requests += more
	slices.Sort(took)
	r.p99 = took[len(took)*99/100]
	return err
}

// reach waits until the door is open.
func reach(ctx context.Context, address string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the door did not open: %w", ctx.Err())
		}
	}
}

// many does something n times by some workers, as fast as they can or one each period, and notes how long each took from when
// it was due.
func many(n int, each time.Duration, do func(n int) error, took []time.Duration) (int, time.Duration, error) {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	begin := time.Now()
	workers := doorWorkers
	if each > 0 {
		workers *= 8 // a request is late because the door is, and not because nobody was there to make it
	}
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				due := begin.Add(time.Duration(i) * each)
				time.Sleep(time.Until(due)) // holds the pace
				if err := do(i); err != nil {
					failed.Store(&err)
				}
				if took != nil {
					took[i] = time.Since(due)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return n, time.Since(begin), *err
	}
	return n, time.Since(begin), nil
}

func (d *doors) sendBatch(ctx context.Context, client *http.Client, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/batch", bytes.NewReader(d.batch))
	if err != nil {
		return err
	}
	req.SetBasicAuth(d.key, "")
	req.Header.Set("Content-Type", "application/json")
	return answered(client, req)
}

// deliverStripe sends one event of 2 KB, each another.
func deliverStripe(ctx context.Context, client *http.Client, scheme *signature.Scheme, address string, n int) error {
	body := fmt.Appendf(nil, `{"id":"evt_%d","object":"event","type":"invoice.paid","livemode":false,"pending_webhooks":1,"data":{"object":{"id":"in_%d",`+
		`"customer":"cus_%d","amount_paid":4200,"currency":"eur","lines":%q}}}`, n, n, n%500, strings.Repeat("a line of it; ", 130))
	headers, err := scheme.Sign(signature.Outgoing{At: time.Now(), Body: body})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/stripe", bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range headers {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	return answered(client, req)
}

func answered(client *http.Client, req *http.Request) error {
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the door answered %d: %s", resp.StatusCode, last(string(text), 300))
	}
	return err
}
