package redpanda

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

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
		// Out of order there is no second try: should it succeed, the next hop would take the record for a repeat.
		if c.failed[offset] >= p.session.in.maxAttempts || permanent.Code == codeOrder {
			due = append(due, c.find(offset))
		}
	}
	if len(due) == 0 {
		return false, nil
	}
	if err := p.quarantine(c, due, permanent.Code); err != nil {
		return false, err
	}
	for _, rec := range due {
		c.settle(rec.Offset)
	}
	p.session.in.metrics.quarantined.Incr(int64(len(due)), p.session.in.stage, permanent.Code)
	// Written down, so that a successor neither tries nor quarantines them again. Failing that, it does both.
	return true, p.session.commits.put(p, c.first, p.noteOf(c).encode())
}

// quarantine returns nil once every record is durable in the quarantine topic.
func (p *partition) quarantine(c *chunk, due []*kgo.Record, code string) error {
	in := p.session.in
	records := make([]*kgo.Record, 0, len(due))
	for _, rec := range due {
		ref := quarantine.Ref{Topic: p.topic, Partition: p.id, Offset: rec.Offset}
		id := eventID(rec, ref)
		q := quarantine.New(code, "", in.stage, ref, id, rec.Value, in.cipher, time.Now())
		q.Attempts = c.failed[rec.Offset]
		records = append(records, &kgo.Record{
			Topic: in.quarantineTopic, Key: []byte(id), Value: q.Append(nil),
			Headers: []kgo.RecordHeader{{Key: headerCode, Value: []byte(code)}, {Key: headerStage, Value: []byte(in.stage)}},
		})
	}
	if err := p.session.cl.ProduceSync(p.living, records...).FirstErr(); err != nil {
		return fmt.Errorf("writing %d records to %s: %w", len(records), in.quarantineTopic, explain(err))
	}
	return nil
}

// eventID is the id the record's headers carry, or its position where no stage of ours wrote it.
func eventID(rec *kgo.Record, ref quarantine.Ref) string {
	for i := range rec.Headers {
		if rec.Headers[i].Key == seal.HeaderEventID && len(rec.Headers[i].Value) > 0 {
			return string(rec.Headers[i].Value)
		}
	}
	return fmt.Sprintf("%s/%d@%d", ref.Topic, ref.Partition, ref.Offset)
}
