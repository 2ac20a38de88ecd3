package clickhouse

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// auditDestination is what books and metrics call the audit table. It is no destination of the policy.
const auditDestination = "audit"

// audit makes an output one for decisions. They have no seal, because they hold nothing of an event that a policy could
// withhold; in its place stand the one topic they may come from and a reading that takes nothing else for a decision.
type audit struct {
	topic   string // the one with role decisions
	readers sync.Pool
}

func newAudit(topic string) (*audit, error) {
	if _, err := consent.NewDecisionReader(); err != nil {
		return nil, err
	}
	a := &audit{topic: topic}
	a.readers.New = func() any {
		reader, _ := consent.NewDecisionReader()
		return reader
	}
	return a, nil
}

// check refuses a batch of any other topic as a whole: that is a stream wired wrongly, and no record of it is at fault.
func (a *audit) check(c *chunk) error {
	if c.topic != a.topic {
		return fmt.Errorf("clickhouse_audit takes decisions alone, and the stream reads %s: read %s, or use the clickhouse output with a destination", c.topic, a.topic)
	}
	return nil
}

// readDecision takes a record's identity from the decision. A *event.Fault says that it is none.
func (a *audit) readDecision(c *chunk, r *record) error {
	if _, sealed := r.is.Sealed(); sealed || r.is.Finished() {
		return errNotRead
	}
	body, err := r.msg.AsBytes()
	if err != nil {
		return err
	}
	reader := a.readers.Get().(*consent.DecisionReader)
	defer a.readers.Put(reader)
	d, id, err := reader.Read(body)
	if err != nil {
		return err
	}
	if r.decidedAt, err = decidedAt(r.msg); err != nil {
		return err
	}
	key, _ := r.msg.MetaGet(stage.MetaKafkaKey)
	r.sealed = c.blank()
	r.sealed.EventID, r.sealed.SubjectKey, r.sealed.Policy, r.sealed.Body = id, key, d.Policy, body
	if origin, ok := stage.Origin(r.msg); ok {
		r.sealed.SrcTopic, r.sealed.SrcPartition, r.sealed.SrcOffset = origin.Topic, origin.Partition, origin.Offset
	}
	return nil
}

var errNotRead = &event.Fault{Code: consent.CodeDecisionField, Remedy: "put no processor before clickhouse_audit: it takes decisions as they were read"}

// decidedAt is the time of the record, which is the same on every retry.
func decidedAt(msg *service.Message) (time.Time, error) {
	text, _ := msg.MetaGet(stage.MetaKafkaTimestamp)
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, errNoChunk
	}
	return time.UnixMilli(ms).UTC(), nil
}

// shape is which columns a table has to have and what they are filled from.
type shape struct {
	identity string            // the column that tells a record from every other
	shipped  map[string]string // filled where the table has them
	fixed    map[string]string // must be there, and from nothing else
}

var (
	eventShape    = shape{identity: "event_id", shipped: shippedColumns, fixed: lineageColumns}
	decisionShape = shape{identity: "decision_id", fixed: decisionColumns}
)

// decisionColumns fill the audit table: each field of a decision, whom it is about, and the lineage.
var decisionColumns = func() map[string]string {
	columns := map[string]string{}
	for name, source := range lineageColumns {
		columns[name] = source
	}
	for _, name := range consent.DecisionFields {
		columns[name] = name
	}
	columns["subject_key"], columns["decided_at"], columns["inserted_at"] = "@subject_key", "@decided_at", "@inserted_at"
	return columns
}()

func (c *config) shape() shape {
	if c.audit != nil {
		return decisionShape
	}
	return eventShape
}
