package trace

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/explain"
)

// Store is the ClickHouse of a destination, with the tables that `ebbgate clickhouse apply` makes.
type Store struct {
	Client      *clickhouse.Client
	Destination string
	Table       string
}

// Lineage columns only: nothing that an event says.
const rowQuery = `SELECT event_id, correlation_id, policy_version, consent_version, topic, partition, offset,
	src_topic, src_partition, src_offset, replay_epoch, inserted_at FROM %s WHERE event_id IN (%s) OR correlation_id = %s
	ORDER BY inserted_at`

// look adds the rows of the events found so far, and of those that only the store still knows, then what the sink's books
// say of records without a row.
func (s *Store) look(ctx context.Context, f *found) error {
	ids := []string{clickhouse.Literal(f.id)}
	for _, id := range f.order {
		ids = append(ids, clickhouse.Literal(id))
	}
	for id := range f.named {
		if _, found := f.events[id]; !found {
			ids = append(ids, clickhouse.Literal(id))
		}
	}
	query := fmt.Sprintf(rowQuery, clickhouse.Quote(s.Table), strings.Join(ids, ", "), clickhouse.Literal(f.id))
	err := s.Client.Query(ctx, query, nil, func(scan func(...any) error) error { return s.row(f, scan) })
	if err != nil {
		return fmt.Errorf("looking for rows in %s: %w", s.Table, err)
	}
	for _, id := range f.order {
		if err := s.books(ctx, f.events[id]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) row(f *found, scan func(...any) error) error {
	var id, correlation string
	var at, came Position
	step := Step{Stage: "export", Outcome: Delivered, Destination: s.Destination}
	if err := scan(&id, &correlation, &step.Policy, &step.ConsentVersion, &at.Topic, &at.Partition, &at.Offset,
		&came.Topic, &came.Partition, &came.Offset, &step.ReplayEpoch, &step.At); err != nil {
		return err
	}
	e := f.event(id)
	if e.CorrelationID == "" {
		e.CorrelationID = correlation
	}
	step.Position = &at
	if came.Topic != "" {
		step.Came = &came
		f.look(came, id)
	}
	e.Steps = append(e.Steps, step)
	if !e.sealedFor(s.Destination) {
		e.outcome(explain.Outcome{At: step.At, Destination: s.Destination, Sealed: &explain.Sealed{Policy: step.Policy, ConsentVersion: step.ConsentVersion}})
	}
	return nil
}

func (e *Event) sealedFor(destination string) bool {
	for _, o := range e.evidence.Outcomes {
		if o.Sealed != nil && o.Destination == destination {
			return true
		}
	}
	return false
}

// books says what the sink did with records of the event that left no row: held back, or recognised as copies.
func (s *Store) books(ctx context.Context, e *Event) error {
	for _, authorized := range e.Steps {
		if authorized.Outcome != Authorized || authorized.Destination != s.Destination || e.rowOf(*authorized.Position) {
			continue
		}
		if err := s.chunk(ctx, e, authorized); err != nil {
			return fmt.Errorf("reading ebbgate_chunks: %w", err)
		}
	}
	return nil
}

func (e *Event) rowOf(at Position) bool {
	for i := range e.Steps {
		if e.Steps[i].Outcome == Delivered && *e.Steps[i].Position == at {
			return true
		}
	}
	return false
}

func (s *Store) chunk(ctx context.Context, e *Event, authorized Step) error {
	at := authorized.Position
	const query = `SELECT committed_at, epoch, denied_reasons[indexOf(denied_events, ?)] FROM ebbgate_chunks FINAL
		WHERE destination = ? AND topic = ? AND partition = ? AND first <= ? AND last >= ? ORDER BY committed_at`
	args := []any{e.EventID, s.Destination, at.Topic, at.Partition, at.Offset, at.Offset}
	return s.Client.Query(ctx, query, args, func(scan func(...any) error) error {
		var committed time.Time
		step := Step{Stage: "export", Outcome: Settled, Destination: s.Destination, Policy: authorized.Policy, Position: at}
		if err := scan(&committed, &step.ReplayEpoch, &step.Reason); err != nil {
			return err
		}
		step.At = committed
		if step.Reason != "" && e.deniedAtExport(s.Destination) {
			return nil // the decision itself was found, and says by which rule
		}
		if step.Reason != "" {
			step.Outcome = Denied
			e.outcome(explain.Outcome{At: committed, Destination: s.Destination, Decision: &consent.Decision{
				EventID: e.EventID, Destination: s.Destination, Verdict: consent.Denied, Reason: step.Reason, Policy: step.Policy, Stage: step.Stage,
			}})
		}
		e.Steps = append(e.Steps, step)
		return nil
	})
}

// deniedAtExport tells whether the sink's decision was found among the records.
func (e *Event) deniedAtExport(destination string) bool {
	return slices.ContainsFunc(e.Steps, func(s Step) bool {
		return s.Stage == "export" && s.Outcome == Denied && s.Destination == destination
	})
}
