package books

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// outcomesTable holds why events are not in the table of events.
const outcomesTable = "outcomes"

// outcomesBatch is how many rows one insert has.
const outcomesBatch = 10_000

var outcomesColumns = []string{"event_digest", "event_name", "timestamp", "outcome", "reason", "stage", "policy_version"}

// Copied says what CopyOutcomes did.
type Copied struct {
	Rows int
	// Unreadable are records that are no decision and no quarantine record. What they stand for is missing in ClickHouse.
	Unreadable int
	// Examples are the first few of them: topic/partition/offset.
	Examples []string
}

// CopyOutcomes writes every denial of a destination and every quarantined event that it lacks for that to ClickHouse. It
// always reads both topics whole: the table takes a row once, however often it comes. Neither an event id nor a subject is
// written.
func CopyOutcomes(ctx context.Context, options []kgo.Opt, plan Plan, destination string, into *clickhouse.Client) (Copied, error) {
	client, err := kgo.NewClient(options...)
	if err != nil {
		return Copied{}, fmt.Errorf("opening a client for the outcomes: %w", err)
	}
	defer client.Close()
	w := &outcomeWriter{ctx: ctx, plan: plan, destination: destination, into: into}
	if err := w.reset(); err != nil {
		return Copied{}, err
	}
	admin := kadm.NewClient(client)
	for topic, take := range map[string]func(*kgo.Record) bool{plan.Decisions: w.decision, plan.Quarantine: w.quarantined} {
		err := EachRecord(ctx, options, admin, topic, func(r *kgo.Record) {
			if !take(r) {
				w.unreadable(r)
			}
		})
		if err != nil {
			return w.copied, err
		}
	}
	w.flush()
	return w.copied, w.err
}

type outcomeWriter struct {
	ctx         context.Context
	plan        Plan
	destination string
	into        *clickhouse.Client
	block       *clickhouse.Block
	copied      Copied
	err         error
}

func (w *outcomeWriter) reset() error {
	columns := make([]*clickhouse.Column, len(outcomesColumns))
	for i, name := range outcomesColumns {
		form := "LowCardinality(String)"
		switch name {
		case "event_digest":
			form = "String"
		case "timestamp":
			form = "DateTime64(3, 'UTC')"
		}
		typ, err := clickhouse.ParseType(form)
		if err != nil {
			return err
		}
		columns[i] = clickhouse.NewColumn(name, typ)
	}
	w.block = clickhouse.NewBlock(columns...)
	return nil
}

// unreadable counts a record that no row could be made of.
func (w *outcomeWriter) unreadable(r *kgo.Record) {
	w.copied.Unreadable++
	if len(w.copied.Examples) < maxExamples {
		w.copied.Examples = append(w.copied.Examples, at(r).String())
	}
}

// decision takes a record of the decisions topic, and is false if it is not one.
func (w *outcomeWriter) decision(r *kgo.Record) bool {
	var d struct {
		EventID     string    `json:"event_id"`
		EventName   string    `json:"event_name"`
		Timestamp   time.Time `json:"timestamp"`
		Destination string    `json:"destination"`
		Verdict     string    `json:"verdict"`
		Reason      string    `json:"reason"`
		Stage       string    `json:"stage"`
		Policy      string    `json:"policy"`
	}
	if json.Unmarshal(r.Value, &d) != nil || d.EventID == "" || d.Destination == "" || d.Verdict == "" {
		return false
	}
	if d.Verdict != "denied" || d.Stage == "export" || !w.concerns(d.Destination) { // ebbgate_chunks has those of the sink
		return true
	}
	if d.Timestamp.IsZero() {
		d.Timestamp = r.Timestamp
	}
	w.row(d.EventID, d.EventName, d.Timestamp, "denied", d.Reason, d.Stage, d.Policy)
	return true
}

// quarantined takes a record of the quarantine, and is false if it is not one.
func (w *outcomeWriter) quarantined(r *kgo.Record) bool {
	q, err := quarantine.ParseRecord(r.Value)
	if err != nil {
		return false
	}
	destination := q.Destination
	if destination == "" {
		destination = w.plan.destinationOf(q.Ref.Topic)
	}
	if !w.concerns(destination) {
		return true
	}
	id := q.EventID
	if id == "" {
		id = position{q.Ref.Topic, q.Ref.Partition, q.Ref.Offset}.String()
	}
	w.row(id, q.EventName, q.First, "quarantined", q.Code, q.Stage, "")
	return true
}

func (w *outcomeWriter) concerns(destination string) bool {
	return destination == w.destination || destination == Everywhere
}

func (w *outcomeWriter) row(id, name string, at time.Time, outcome, reason, stage, policy string) {
	sum := sha256.Sum256([]byte(id))
	for i, text := range []string{hex.EncodeToString(sum[:16]), name, "", outcome, reason, stage, policy} {
		if outcomesColumns[i] == "timestamp" {
			w.block.Column(i).AppendTime(at)
			continue
		}
		w.block.Column(i).AppendText([]byte(text))
	}
	w.copied.Rows++
	if w.block.Rows() >= outcomesBatch {
		w.flush()
	}
}

// flush inserts what has been gathered. After a failure nothing more is written; the next run writes it all again.
func (w *outcomeWriter) flush() {
	if w.err == nil {
		w.err = w.into.Insert(w.ctx, clickhouse.Insert{Table: outcomesTable, Block: w.block})
	}
	w.block.Reset()
}
