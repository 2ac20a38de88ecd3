package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/sender"
	"github.com/ebbgate/ebbgate/internal/signature"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// Endpoint is one of the webhook door's, with a scheme that signs for it and one of a stranger.
type Endpoint struct {
	URL, Source, Provider string
	Scheme, Stranger      *signature.Scheme
}

// deliveriesEach is how many of every provider.
const deliveriesEach = 3

// knocker delivers what providers would, and again where they would, each as often as a run wants it and no earlier run did.
type knocker struct {
	*run
	doors []Endpoint
	start time.Time
	done  map[string]int // answered attempts by verification and body
	count int
	there int
}

// newKnocker knows what was delivered in this folder already.
func (r *run) newKnocker(ctx context.Context, client *kgo.Client, start time.Time) (k *knocker, err error) {
	k = &knocker{run: r, start: start, done: map[string]int{}}
	if r.pipelines.doors.webhooks == "" {
		r.tell("no webhooks are delivered: this workspace has no %s", doorFile)
		return k, nil
	}
	if k.doors, err = r.Endpoints(r.pipelines.environment()); err != nil {
		return nil, err
	}
	topic, _ := r.ws.Topics.ByRole(topics.Receipts)
	err = books.EachRecord(ctx, []kgo.Opt{kgo.SeedBrokers(r.endpoints.Brokers)}, kadm.NewClient(client), topic.Name, func(rec *kgo.Record) {
		if r, err := receipt.Parse(rec.Value); err == nil {
			k.done[r.Verification+r.BodySHA256]++
		}
	})
	return k, err
}

// deliver brings some of every provider's deliveries to the door: the first one twice, as if its answer had been lost, and once
// forged.
func (k *knocker) deliver(ctx context.Context, from, to int) error {
	for n := from; n < to; n++ {
		for _, ep := range k.doors {
			id := fmt.Sprintf("evt_demo-%d-%s-%d", k.Seed, ep.Source, n)
			body, err := sender.Sample(ep.Provider, id, k.start.Add(time.Duration(n)*time.Minute))
			if err != nil {
				return err
			}
			d := sender.Delivery{URL: ep.URL, Scheme: ep.Scheme, ID: id, Type: sender.SampleType(ep.Provider), Body: body}
			attempts := 1
			if n == 0 {
				attempts = 2
				forged := d
				forged.Scheme = ep.Stranger
				if err := k.insist(ctx, forged, "bad_signature", http.StatusUnauthorized, 1); err != nil {
					return err
				}
			}
			if err := k.insist(ctx, d, receipt.Verified, http.StatusOK, attempts); err != nil {
				return err
			}
		}
	}
	return nil
}

// insist sends a delivery until it was answered as often as it should be, as providers do.
func (k *knocker) insist(ctx context.Context, d sender.Delivery, verification string, status, attempts int) error {
	before := min(attempts, k.done[verification+receipt.SumBody(d.Body)])
	k.there += before
	for attempts -= before; attempts > 0; {
		a, err := sender.Post(ctx, http.DefaultClient, d)
		switch {
		case err == nil && a.Status == status:
			k.count++
			attempts--
			continue
		case err == nil && a.Status != http.StatusServiceUnavailable:
			return fmt.Errorf("delivering to %s: the door answered with %d where %d was due", d.URL, a.Status, status)
		}
		if failed := k.pipelines.failed(); failed != nil {
			return failed
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("delivering to %s: %w", d.URL, ctx.Err())
		case <-time.After(lookEvery / 2):
		}
	}
	return nil
}
