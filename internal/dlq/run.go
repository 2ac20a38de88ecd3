package dlq

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/explain"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// marksAtOnce bounds how many entries a record of an action marks, and so how many are sent twice after a kill.
const marksAtOnce = 500

// Order is what somebody wants done.
type Order struct {
	Who, Why string
	Filter   Filter
	// Correct changes an event before it is sent through again; nil leaves it as it is. Its error names a fault, without values.
	Correct func([]byte) ([]byte, error)
	// Correction is the SHA-256 of the mapping that Correct runs.
	Correction string
}

// Result counts what became of the chosen entries, by words and codes: replayed, discarded, or why not.
type Result struct {
	Action   string         `json:"action_id,omitempty"`
	Selected int            `json:"selected"`
	Counts   map[string]int `json:"counts"`
}

func (o *Order) start(ctx context.Context, b *Book, kind string, selected int) (*journal, func(), error) {
	action, err := newAction(kind, o.Who, o.Why)
	if err != nil {
		return nil, nil, err
	}
	action.Filter, action.Correction = &o.Filter, o.Correction
	producer, err := b.client.OpenProducer(ctx)
	if err != nil {
		return nil, nil, err
	}
	j := &journal{action: *action, topic: b.actions, producer: producer}
	if err := j.write(ctx, begun, nil, map[string]int{"selected": selected}); err != nil {
		producer.Close()
		return nil, nil, err
	}
	return j, producer.Close, nil
}

// Discard gives waiting entries up: they are marked, and stay where they are until the topic's retention ends.
func (b *Book) Discard(ctx context.Context, o Order) (*Result, error) {
	return b.run(ctx, &o, ActionDiscard, func(context.Context, *journal, []*Entry, map[string]int) ([]*Entry, error) { return nil, nil })
}

// Show gives the bytes that an entry's stage could not take, and writes down that somebody looked.
func (b *Book) Show(ctx context.Context, e *Entry, cipher *quarantine.Cipher, o Order) ([]byte, error) {
	if e.Payload == nil {
		return nil, errNoPayload
	}
	body, err := cipher.Decrypt(e.Payload, e.Ref)
	if err != nil {
		return nil, err
	}
	o.Filter = Filter{IDs: []string{e.ID}}
	_, closing, err := o.start(ctx, b, ActionShow, 1)
	if err != nil {
		return nil, err
	}
	closing()
	return body, nil
}

// Replay sends waiting entries through again and marks those that are durable where they entered.
func (b *Book) Replay(ctx context.Context, o Order, cipher *quarantine.Cipher) (*Result, error) {
	cl, err := kgo.NewClient(append(b.client.Options(),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.ProducerBatchMaxBytesFn(b.largest))...)
	if err != nil {
		return nil, fmt.Errorf("opening a producer: %w", err)
	}
	defer cl.Close()
	n := &entrance{book: b, cipher: cipher, correct: o.Correct}
	return b.run(ctx, &o, ActionReplay, func(ctx context.Context, j *journal, list []*Entry, counts map[string]int) ([]*Entry, error) {
		n.replayID = j.action.ID
		return n.send(ctx, cl, list, counts)
	})
}

// largest is what a topic takes.
func (b *Book) largest(topic string) int32 {
	if t, ok := b.topics.Topic(topic); ok && t.MaxMessageBytes > 0 {
		return int32(t.MaxMessageBytes)
	}
	return 1 << 20
}

type step func(ctx context.Context, j *journal, list []*Entry, counts map[string]int) (left []*Entry, err error)

// run takes the chosen entries through a step, a part at a time, and marks those of which the step left nothing to do.
func (b *Book) run(ctx context.Context, o *Order, kind string, do step) (*Result, error) {
	o.Filter.State = Waiting
	list := b.Select(o.Filter)
	res := &Result{Selected: len(list), Counts: map[string]int{}}
	if len(list) == 0 {
		return res, nil
	}
	j, closing, err := o.start(ctx, b, kind, len(list))
	if err != nil {
		return nil, err
	}
	defer closing()
	res.Action = j.action.ID
	for len(list) > 0 {
		part := list[:min(marksAtOnce, len(list))]
		list = list[len(part):]
		left, err := do(ctx, j, part, res.Counts)
		if err != nil {
			return res, err
		}
		if err := b.mark(ctx, j, kind, part, left, res.Counts); err != nil {
			return res, err
		}
	}
	return res, j.write(ctx, ended, nil, res.Counts)
}

func (b *Book) mark(ctx context.Context, j *journal, kind string, part, left []*Entry, counts map[string]int) error {
	stays := map[*Entry]bool{}
	for _, e := range left {
		stays[e] = true
	}
	var ids []string
	for _, e := range part {
		if !stays[e] {
			ids = append(ids, e.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := j.write(ctx, marked, ids, nil); err != nil {
		return err
	}
	for _, e := range part {
		if !stays[e] {
			e.State = became[kind]
		}
	}
	counts[became[kind]] += len(ids)
	return nil
}

// send makes a part's records durable and gives back the entries that stay, each counted by its fault. Elements of one list come
// back with the list, once.
func (n *entrance) send(ctx context.Context, cl *kgo.Client, part []*Entry, counts map[string]int) (left []*Entry, err error) {
	var records []*kgo.Record
	by := map[quarantine.Ref]*kgo.Record{}
	of := map[*kgo.Record][]*Entry{}
	for _, e := range part {
		rec := by[e.Ref]
		if rec == nil {
			rec, err = n.record(ctx, e)
			if fault, ok := event.AsFault(err); ok {
				counts[fault.Code]++
				left = append(left, e)
				continue
			}
			if err != nil {
				return left, err
			}
			by[e.Ref] = rec
			records = append(records, rec)
		}
		of[rec] = append(of[rec], e)
	}
	for _, r := range cl.ProduceSync(ctx, records...) {
		if errors.Is(r.Err, kerr.MessageTooLarge) {
			counts["output.too_large"] += len(of[r.Record])
			left = append(left, of[r.Record]...)
		} else if r.Err != nil {
			return left, fmt.Errorf("writing to %s: %w", r.Record.Topic, r.Err)
		}
	}
	return left, nil
}

// Forecast counts what the gate would make of chosen entries if they were sent through now, as the events themselves claim
// consent: by code for those that go to quarantine again, by destination and verdict for the others.
type Forecast struct {
	Selected     int                       `json:"selected"`
	Passes       int                       `json:"passes"` // those that go to one destination at least
	Faults       map[string]int            `json:"faults"`
	Destinations map[string]map[string]int `json:"destinations"`
	// Undecided are deliveries and sealed records: their own stream decides about them.
	Undecided int `json:"undecided"`
}

// Foresee is a replay that changes nothing.
func (b *Book) Foresee(ctx context.Context, o Order, cipher *quarantine.Cipher, ws *workspace.Workspace) (*Forecast, error) {
	explainer, err := explain.New(ws)
	if err != nil {
		return nil, err
	}
	o.Filter.State = Waiting
	n := &entrance{book: b, cipher: cipher, correct: o.Correct}
	list := b.Select(o.Filter)
	f := &Forecast{Selected: len(list), Faults: map[string]int{}, Destinations: map[string]map[string]int{}}
	for _, e := range list {
		rec, err := n.record(ctx, e)
		if fault, ok := event.AsFault(err); ok {
			f.Faults[fault.Code]++
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := f.add(b.topics, rec, explainer); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *Forecast) add(set *topics.Set, rec *kgo.Record, explainer *explain.Explainer) error {
	if t, _ := set.Topic(rec.Topic); t.Role != topics.Raw && t.Role != topics.Validated {
		f.Undecided++
		return nil
	}
	report, err := explainer.Event(rec.Value, explain.Options{Now: time.Now()})
	if err != nil {
		return err
	}
	if report.Quarantined() {
		f.Faults[report.Faults[0].Code]++
		return nil
	}
	passes := 0
	for _, d := range report.Destinations {
		if f.Destinations[d.Destination] == nil {
			f.Destinations[d.Destination] = map[string]int{}
		}
		f.Destinations[d.Destination][d.Verdict]++
		if d.Verdict == explain.Allowed {
			passes = 1
		}
	}
	f.Passes += passes
	return nil
}
