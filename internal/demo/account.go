package demo

import (
	"context"
	"errors"
	"fmt"

	chgo "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/topics"
)

const (
	sinkDestination = "analytics"
	sinkTable       = "events"
)

// Sample is one row an analyst would see.
type Sample struct {
	EventName, UserID, Properties, Rule string
}

// account balances the books, searches for canaries and takes some rows to show.
func (r *run) account(ctx context.Context) (*Result, error) {
	dsn, err := chgo.ParseDSN(r.endpoints.ClickHouseDSN)
	if err != nil {
		return nil, errors.New("reading the ClickHouse DSN of the sandbox")
	}
	conn, err := chgo.Open(dsn)
	if err != nil {
		return nil, fmt.Errorf("opening ClickHouse: %w", err)
	}
	defer conn.Close()
	brokers := []kgo.Opt{kgo.SeedBrokers(r.endpoints.Brokers)}
	ledger, err := books.Collect(ctx, brokers, r.plan(), books.ClickHouseSink(conn, sinkDestination, sinkTable))
	if err != nil {
		return nil, err
	}
	result := &Result{Books: ledger.Compute(), Endpoints: r.endpoints, Published: r.published, Canaries: len(r.canaries)}
	tables, err := r.stagingSources()
	if err != nil {
		return nil, err
	}
	if err := r.search(ctx, result, append(tables, books.ClickHouseSource(conn, sinkTable), books.ClickHouseSource(conn, "ebbgate_chunks"))...); err != nil {
		return nil, err
	}
	if err := r.show(ctx, result, conn); err != nil {
		return nil, err
	}
	if !result.Books.Balanced() || !result.Books.Drained() {
		return result, ErrUnbalanced
	}
	return result, nil
}

// show takes what there is to see besides the books.
func (r *run) show(ctx context.Context, result *Result, conn driver.Conn) (err error) {
	if result.Samples, err = samples(ctx, conn); err != nil {
		return fmt.Errorf("reading some rows: %w", err)
	}
	if result.Latency, err = r.latency(ctx, conn); err != nil {
		return err
	}
	if result.Answers, err = r.answers(ctx, conn); err != nil {
		return err
	}
	if result.Pulled, err = r.pull(ctx); err != nil {
		return err
	}
	result.Evidence, err = r.evidence(ctx, conn)
	return err
}

func samples(ctx context.Context, conn driver.Conn) (out []Sample, err error) {
	rows, err := conn.Query(ctx, "SELECT event_name, user_id, properties, policy_version FROM events_unique ORDER BY event_name, event_id LIMIT 1 BY event_name LIMIT 6")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s Sample
		if err := rows.Scan(&s.EventName, &s.UserID, &s.Properties, &s.Rule); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// search looks for every canary wherever it may not be: in stores, logs, quarantine, decisions and state, and at each
// destination for those whose field its policy does not keep as it is.
func (r *run) search(ctx context.Context, result *Result, tables ...books.Source) error {
	brokers := []kgo.Opt{kgo.SeedBrokers(r.endpoints.Brokers)}
	sources := tables
	for _, role := range []topics.Role{topics.Quarantine, topics.Decisions, topics.Consent, topics.Policies} {
		if topic, ok := r.ws.Topics.ByRole(role); ok {
			sources = append(sources, books.TopicSource(brokers, topic.Name))
		}
	}
	logs, err := logFiles(r.Dir)
	if err != nil {
		return err
	}
	for _, file := range logs {
		sources = append(sources, books.FileSource(file))
	}
	leaks, err := books.Leaks(ctx, sources, r.canaries)
	if err != nil {
		return fmt.Errorf("searching for canaries: %w", err)
	}
	result.Books.Leaks, result.Searched = leaks, len(sources)
	for _, d := range r.ws.Policy.Destinations {
		topic, _ := r.ws.Topics.ByDestination(d.Name)
		found, err := books.Leaks(ctx, []books.Source{books.TopicSource(brokers, topic.Name)}, withheld(r.canaries, d))
		if err != nil {
			return fmt.Errorf("searching for canaries: %w", err)
		}
		result.Books.Leaks = append(result.Books.Leaks, found...)
		result.Searched++
	}
	return nil
}

// withheld are the canaries in fields that the destination may not have as they are.
func withheld(all []books.Canary, d *policy.Destination) []books.Canary {
	kept := map[string]bool{}
	for _, rule := range d.Rules {
		if rule.Op == policy.Keep {
			kept[rule.Path] = true
		}
	}
	var out []books.Canary
	for _, c := range all {
		if !kept[c.Field] {
			out = append(out, c)
		}
	}
	return out
}
