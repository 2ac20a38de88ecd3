package redpanda

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// quarantineMaxBytes bounds what is sent to the quarantine topic at once.
const quarantineMaxBytes = 16 << 20

// blamed returns the permanent error in an answer of the engine and the offsets of this chunk it names. An error that
// names none of them is not permanent for this chunk: it waits.
func blamed(p *partition, c *chunk, answer error) (*stage.PermanentError, []int64) {
	var permanent *stage.PermanentError
	if !errors.As(answer, &permanent) {
		return nil, nil
	}
	var offsets []int64
	for _, ref := range permanent.Refs {
		if ref.Topic == p.topic && ref.Partition == p.id && !c.settled[ref.Offset] && c.find(ref.Offset) != nil {
			offsets = append(offsets, ref.Offset)
		}
	}
	return permanent, offsets
}

// settle counts what failed for good and, once a record has had its attempts, moves it to quarantine. done is true when
// something of the chunk was settled: the same chunk can be handed out again at once.
func (p *partition) settle(c *chunk, answer error) (done bool, err error) {
	permanent, offsets := blamed(p, c, answer)
	if len(offsets) == 0 || p.session.in.quarantineTopic == "" {
		return false, nil
	}
	if c.failed == nil {
		c.failed = map[int64]int{}
	}
	var due []*kgo.Record
	for _, offset := range offsets {
		c.failed[offset]++
		if c.failed[offset] >= p.session.in.maxAttempts {
			due = append(due, c.find(offset))
		}
	}
	if len(due) == 0 {
		return false, nil
	}
	if err := p.quarantine(c, due, permanent); err != nil {
		return false, err
	}
	for _, rec := range due {
		c.settle(rec.Offset)
	}
	p.session.in.metrics.quarantined.Incr(int64(len(due)), p.session.in.stage, permanent.Code)
	// Written down, so that a successor neither tries nor quarantines them again.
	p.commit(c.first, p.noteOf(c))
	return true, nil
}

// quarantine returns nil once every record is durable in the quarantine topic.
func (p *partition) quarantine(c *chunk, due []*kgo.Record, cause *stage.PermanentError) error {
	records := make([]*quarantine.Record, len(due))
	for i, rec := range due {
		ref := quarantine.Ref{Topic: p.topic, Partition: p.id, Offset: rec.Offset}
		records[i] = quarantine.New(cause.Code, "", p.session.in.stage, ref, eventID(rec, ref), rec.Value, p.session.in.cipher, time.Now())
		records[i].Attempts, records[i].Destination = c.failed[rec.Offset], cause.Destination
	}
	err := p.writeQuarantine(records)
	if errors.Is(err, kerr.MessageTooLarge) {
		// A record that says what failed and where it is read is worth more than a partition that stands still.
		for _, q := range records {
			q.Payload = nil
		}
		err = p.writeQuarantine(records)
	}
	return err
}

func (p *partition) writeQuarantine(records []*quarantine.Record) error {
	in := p.session.in
	out := make([]*kgo.Record, len(records))
	for i, q := range records {
		out[i] = &kgo.Record{
			Topic: in.quarantineTopic, Key: []byte(q.EventID), Value: q.Append(nil),
			Headers: []kgo.RecordHeader{{Key: headerCode, Value: []byte(q.Code)}, {Key: headerStage, Value: []byte(q.Stage)}},
		}
	}
	if err := p.session.cl.ProduceSync(p.living, out...).FirstErr(); err != nil {
		return fmt.Errorf("writing %d records to %s: %w", len(out), in.quarantineTopic, explain(err))
	}
	return nil
}

// eventID is the id the record's headers carry, or its position where no stage of ours wrote it.
func eventID(rec *kgo.Record, ref quarantine.Ref) string {
	for i := range rec.Headers {
		if rec.Headers[i].Key == seal.HeaderEventID && event.ValidID(rec.Headers[i].Value) {
			return string(rec.Headers[i].Value)
		}
	}
	return fmt.Sprintf("%s/%d@%d", ref.Topic, ref.Partition, ref.Offset)
}
