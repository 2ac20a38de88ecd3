package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/generate"
	"github.com/ebbgate/ebbgate/internal/npm"
	"github.com/ebbgate/ebbgate/internal/sender"
	"github.com/ebbgate/ebbgate/internal/topics"
)

const (
	topicEvents   = "inbound.events"
	topicGitHub   = "inbound.github"
	topicWebhooks = "inbound.webhooks"

	// headerItem names what a record of ours is, so that a second run knows what the first one published.
	headerItem = "demo_item"
)

// publish brings consent statements, GitHub deliveries and generated events onto their topics, all but those that an
// earlier run brought already.
func (r *run) publish(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(r.endpoints.Brokers))
	if err != nil {
		return fmt.Errorf("opening the publisher: %w", err)
	}
	defer client.Close()
	p := &publisher{run: r, client: client, done: map[string]bool{}}
	for _, topic := range []string{topicEvents, topicGitHub, p.consentTopic()} {
		if err := p.recall(ctx, topic); err != nil {
			return err
		}
	}
	start, err := r.startTime()
	if err != nil {
		return err
	}
	gen := generate.New(generate.Options{
		Seed: r.Seed, Count: r.Events, Start: start, BadShare: 0.02, MissingConsentShare: 0.05, WithdrawnShare: 0.05,
		CanaryEvery: max(1, r.Events/400),
	})
	k, err := r.newKnocker(ctx, client, start)
	if err != nil {
		return err
	}
	if err := errors.Join(p.statements(ctx, gen), p.deliveries(ctx)); err != nil {
		return err
	}
	if err := client.Flush(ctx); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	if err := k.deliver(ctx, 0, deliveriesEach-1); err != nil {
		return err
	}
	sent, sentBefore, err := r.sendBySDK(ctx, client)
	if err != nil {
		return err
	}
	if err := p.events(ctx, gen); err != nil { // in the midst of which everything may be killed
		return err
	}
	if err := k.deliver(ctx, deliveriesEach-1, deliveriesEach); err != nil {
		return err
	}
	if err := client.Flush(ctx); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	for _, c := range gen.Canaries() {
		r.canaries = append(r.canaries, books.Canary{Value: c.Value, Field: c.Field})
	}
	r.published = p.count + k.count + sent
	r.tell("%d records published, %d were there from an earlier run; of these %d and %d were signed webhooks", r.published, p.there+k.there+sentBefore, k.count, k.there)
	return p.failed
}

type publisher struct {
	*run
	client *kgo.Client
	done   map[string]bool // by headerItem
	count  int
	there  int // on the topics from an earlier run
	failed error
}

func (p *publisher) consentTopic() string {
	topic, _ := p.ws.Topics.ByRole(topics.Consent)
	return topic.Name
}

// recall notes what lies on a topic already.
func (p *publisher) recall(ctx context.Context, topic string) error {
	options := []kgo.Opt{kgo.SeedBrokers(p.endpoints.Brokers)}
	return books.EachRecord(ctx, options, kadm.NewClient(p.client), topic, func(rec *kgo.Record) {
		for _, h := range rec.Headers {
			if h.Key == headerItem {
				p.done[string(h.Value)] = true
				p.there++
			}
		}
	})
}

func (p *publisher) produce(ctx context.Context, item string, rec *kgo.Record) {
	if p.done[item] {
		return
	}
	rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: headerItem, Value: []byte(item)})
	p.client.Produce(ctx, rec, func(_ *kgo.Record, err error) {
		if err != nil {
			p.failed = errors.Join(p.failed, err)
		}
	})
	p.count++
}

// statements puts the withdrawals in force before the events come, as a consent service would have.
func (p *publisher) statements(ctx context.Context, gen *generate.Generator) error {
	for i, s := range gen.Statements() {
		rec := consent.Record{Version: s.Version, Purposes: s.Purposes, Source: "demo", ChangedAt: s.ChangedAt}
		key := p.ring.SubjectPseudonym("user_id", s.Subject.UserID)
		if s.Subject.UserID == "" {
			key = p.ring.SubjectPseudonym("anonymous_id", s.Subject.AnonymousID)
		}
		p.produce(ctx, fmt.Sprintf("statement-%d-%d", p.Seed, i), &kgo.Record{Topic: p.consentTopic(), Key: []byte(key), Value: rec.Append(nil)})
	}
	for _, user := range sender.Subjects() {
		p.consents(ctx, user, "analytics", "marketing")
	}
	return nil
}

// deliveries publishes GitHub's own webhook examples. Most of the people in them have a consent record.
func (p *publisher) deliveries(ctx context.Context) error {
	cache, err := npm.CacheDir()
	if err != nil {
		return err
	}
	all, err := generate.GitHub(ctx, npm.Fetcher{CacheDir: cache, Report: p.Progress})
	if errors.Is(err, npm.ErrNoClient) {
		p.tell("skipping GitHub's webhook examples: %v", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("fetching GitHub's webhook examples: %w", err)
	}
	for i, d := range all {
		var body struct {
			Sender struct{ ID int64 }
		}
		// A payload without a sender is quarantined for lack of a subject; nobody needs to have consented.
		if err := json.Unmarshal(d.Body, &body); err == nil && body.Sender.ID%3 != 0 {
			p.consents(ctx, "github:"+strconv.FormatInt(body.Sender.ID, 10), "analytics")
		}
		p.produce(ctx, "github-"+strconv.Itoa(i), &kgo.Record{Topic: topicGitHub, Key: []byte(d.ID), Value: d.Body, Headers: []kgo.RecordHeader{
			{Key: generate.HeaderGitHubEvent, Value: []byte(d.Event)},
			{Key: generate.HeaderGitHubDelivery, Value: []byte(d.ID)},
		}})
	}
	return nil
}

// consents says yes for somebody, once.
func (p *publisher) consents(ctx context.Context, user string, purposes ...string) {
	rec := consent.Record{Version: 1, Purposes: map[string]bool{}, Source: "demo", ChangedAt: time.Now()}
	for _, purpose := range purposes {
		rec.Purposes[purpose] = true
	}
	key := p.ring.SubjectPseudonym("user_id", user)
	p.produce(ctx, "consent-"+key, &kgo.Record{Topic: p.consentTopic(), Key: []byte(key), Value: rec.Append(nil)})
	p.done["consent-"+key] = true
}

func (p *publisher) events(ctx context.Context, gen *generate.Generator) error {
	killAt := -1
	if p.Kill {
		killAt = p.Events / 2
	}
	for i := 0; ; i++ {
		ev, ok := gen.Next(nil)
		if !ok {
			return nil
		}
		p.produce(ctx, fmt.Sprintf("event-%d-%d", p.Seed, i), &kgo.Record{Topic: topicEvents, Key: []byte(ev.Subject.UserID + ev.Subject.AnonymousID), Value: ev.Bytes})
		if i == killAt {
			if err := p.client.Flush(ctx); err != nil {
				return fmt.Errorf("publishing: %w", err)
			}
			if err := p.killMidway(ctx); err != nil {
				return err
			}
		}
	}
}

// startTime is when the generated journeys begin: an hour before the folder's first run, the same for each later run, so
// that one seed gives the same events.
func (r *run) startTime() (time.Time, error) {
	file := filepath.Join(r.Dir, "demo-start")
	text, err := os.ReadFile(file)
	if err == nil {
		return time.Parse(time.RFC3339, string(text))
	}
	if !errors.Is(err, os.ErrNotExist) {
		return time.Time{}, fmt.Errorf("reading when the demo began: %w", err)
	}
	start := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	return start, os.WriteFile(file, []byte(start.Format(time.RFC3339)), 0o600)
}
