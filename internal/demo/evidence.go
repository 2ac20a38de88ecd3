package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/explain"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/trace"
)

// Evidence is one event that was delivered and one that was not, each as the commands for it tell, and the receipts of the door.
type Evidence struct {
	Delivered string
	Trace     *trace.Trace
	Denied    string
	Denial    *explain.Report
	Receipts  Receipts
}

// evidence looks up one event of each kind, the way `ebbgate trace` and `ebbgate policy explain` do. Where a run has none of a
// kind, it stays empty.
func (r *run) evidence(ctx context.Context, conn driver.Conn) (e Evidence, err error) {
	client, err := kafka.NewClient(kafka.Login{Seeds: []string{r.endpoints.Brokers}})
	if err != nil {
		return e, err
	}
	store, err := clickhouse.Open(clickhouse.Options{DSN: r.endpoints.ClickHouseDSN, Timeout: time.Minute})
	if err != nil {
		return e, err
	}
	defer store.Close()
	where := trace.Options{
		Client: client, Topics: r.ws.Topics,
		Store: &trace.Store{Client: store, Destination: sinkDestination, Table: sinkTable},
	}
	for _, d := range r.ws.Policy.Destinations {
		where.Destinations = append(where.Destinations, d.Name)
	}
	if e.Delivered, err = telling(ctx, conn); err == nil && e.Delivered != "" {
		e.Trace, err = trace.Find(ctx, e.Delivered, where)
	}
	if err != nil {
		return e, err
	}
	if e.Receipts, err = r.receipts(ctx, where); err != nil {
		return e, err
	}
	if e.Denied, err = r.denied(ctx); err == nil && e.Denied != "" {
		e.Denial, err = r.explained(ctx, e.Denied, where)
	}
	return e, err
}

// telling is a row that has fields of every kind, if there is one.
func telling(ctx context.Context, conn driver.Conn) (id string, err error) {
	rows, err := conn.Query(ctx, `SELECT event_id FROM events_unique
		ORDER BY event_name = 'signed_up' DESC, JSONHas(properties, 'utm_campaign') DESC, event_id LIMIT 1`)
	if err != nil {
		return "", fmt.Errorf("choosing a row: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&id); err != nil {
			return "", fmt.Errorf("choosing a row: %w", err)
		}
	}
	return id, rows.Err()
}

// denied is an event that a withdrawn consent keeps from the sink, else any that was denied there; the first by id.
func (r *run) denied(ctx context.Context) (id string, err error) {
	brokers := []kgo.Opt{kgo.SeedBrokers(r.endpoints.Brokers)}
	client, err := kgo.NewClient(brokers...)
	if err != nil {
		return "", fmt.Errorf("opening a client: %w", err)
	}
	defer client.Close()
	topic, _ := r.ws.Topics.ByRole(topics.Decisions)
	withdrawn, any := "", ""
	err = books.EachRecord(ctx, brokers, kadm.NewClient(client), topic.Name, func(rec *kgo.Record) {
		var d struct {
			EventID     string `json:"event_id"`
			Destination string `json:"destination"`
			Verdict     string `json:"verdict"`
			Reason      string `json:"reason"`
		}
		if json.Unmarshal(rec.Value, &d) != nil || d.Verdict != explain.Denied || d.Destination != sinkDestination {
			return
		}
		first := &any
		if d.Reason == "consent.withdrawn.analytics" {
			first = &withdrawn
		}
		if *first == "" || d.EventID < *first {
			*first = d.EventID
		}
	})
	return cmp.Or(withdrawn, any), err
}

func (r *run) explained(ctx context.Context, id string, where trace.Options) (*explain.Report, error) {
	found, err := trace.Find(ctx, id, where)
	if err != nil || len(found.Events) == 0 {
		return nil, err
	}
	published, _ := r.ws.Topics.ByRole(topics.Policies)
	rules, err := trace.Policies(ctx, where.Client, published.Name)
	if err != nil {
		return nil, err
	}
	return explain.Recorded(found.Events[0].Evidence(), rules), nil
}
