package redact

import (
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// redactor is what all workers share: the compiled plan, and a topic and a sealer per destination.
type redactor struct {
	rules        *stage.Rules
	workers      sync.Pool // of *worker
	readers      stage.ReaderPool
	plan         *policy.Plan
	destinations []target
	decisions    string
	sampleBelow  uint64 // allowances whose event id hashes below are recorded
	denied       *service.MetricCounter
	fields       *service.MetricCounter
}

type target struct {
	name   string
	topic  any // its name, boxed once
	rule   string
	sealer *seal.Sealer
}

// redactors makes the redactor of each generation of rules.
func redactors(rt *stage.Runtime, sample float64) func(*stage.Rules) (*redactor, error) {
	denied := rt.Metrics.NewCounter("ebbgate_denied_total", "destination", "reason")
	fields := rt.Metrics.NewCounter("ebbgate_fields_total", "destination", "outcome")
	return func(rules *stage.Rules) (*redactor, error) {
		r, err := newRedactor(rt, rules)
		if err != nil {
			return nil, err
		}
		r.sampleBelow, r.denied, r.fields = sampleThreshold(sample), denied, fields
		return r, nil
	}
}

func newRedactor(rt *stage.Runtime, ws *stage.Rules) (*redactor, error) {
	plan, err := ws.Policy.Bind(ws.Dict, rt.Ring)
	if err != nil {
		return nil, err
	}
	decisions, ok := ws.Topics.ByRole(topics.Decisions)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role decisions: add privacy.decisions with role: decisions", rt.Dir)
	}
	r := &redactor{
		rules:     ws,
		readers:   ws.NewReaderPool(),
		plan:      plan,
		decisions: decisions.Name,
	}
	r.workers.New = func() any { return r.worker() }
	for _, d := range ws.Policy.Destinations {
		topic, err := requireTopic(ws.Topics, d.Name)
		if err != nil {
			return nil, err
		}
		r.destinations = append(r.destinations, target{
			name:   d.Name,
			topic:  topic,
			rule:   d.File + ":" + strconv.Itoa(d.Line),
			sealer: seal.NewSealer(rt.Ring, d.Name),
		})
	}
	return r, nil
}

// unjudged is why an event without a judgement cannot be redacted. It is read so that the record of its quarantine names it.
func (r *redactor) unjudged(msg *service.Message) error {
	reader := r.readers.Get()
	defer r.readers.Put(reader)
	if _, err := reader.Index(msg); err != nil {
		return err
	}
	return stage.Misrouted(codeNoJudgement, "consent")
}

func sampleThreshold(share float64) uint64 {
	if share >= 1 {
		return math.MaxUint64
	}
	return uint64(share * math.MaxUint64)
}

func (r *redactor) sampled(eventID string) bool {
	h := fnv.New64a()
	_, _ = h.Write([]byte(eventID))
	return h.Sum64() < r.sampleBelow
}

// worker redacts for one batch at a time.
type worker struct {
	*redactor
	plan       *policy.Worker
	projection policy.Projection
	outcomes   []outcome     // of the event at hand
	slab       []byte        // record bodies are carved from it; it is given up to them when full
	records    []seal.Record // likewise
	sealings   stage.Sealings
	texts      stage.Texts
	tally      []tally
}

type tally struct{ kept, dropped, transformed, failed int64 }

func (r *redactor) worker() *worker {
	return &worker{redactor: r, plan: r.plan.Worker(), tally: make([]tally, len(r.destinations))}
}

// outcome is one message that an event becomes: a sealed record, or a decision.
type outcome struct {
	sealed   *seal.Record
	to       *target // of the sealed record
	decision []byte
}

// redact appends what becomes of the event: a sealed record per destination that may have it, and decision records.
func (w *worker) redact(msg *service.Message, j *stage.Judgement, out service.MessageBatch) (service.MessageBatch, error) {
	agreed, fault := w.rules.Contracts.For(j.Index)
	if fault != nil {
		return out, stage.Misrouted(codeNoContract, "contract")
	}
	base := w.base(msg, j, agreed.Class.Name)
	sampled := w.sampled(base.EventID)
	w.outcomes = w.outcomes[:0]
	for i := range w.destinations {
		if gate := j.Gates[i]; !gate.Allowed {
			w.decide(j, i, base.EventID, stage.VerdictDenied, gate.Reason, gate.Rule)
			w.denied.Incr(1, w.destinations[i].name, gate.Reason)
			continue
		}
		if err := w.seal(j, i, &base); err != nil {
			return out, err
		}
		if sampled {
			w.decide(j, i, base.EventID, stage.VerdictAllowed, "", w.destinations[i].rule)
		}
	}
	return w.emit(msg, j.Subject.Primary(), out), nil
}

// emit makes a message of each outcome. The event's own becomes the last one, as copying it would cost more than all
// else here; nothing can fail any more.
func (w *worker) emit(msg *service.Message, key string, out service.MessageBatch) service.MessageBatch {
	for i := range w.outcomes {
		o, next := &w.outcomes[i], msg
		if i < len(w.outcomes)-1 {
			next = msg.Copy()
		}
		if o.sealed != nil {
			w.sealings.SetSealed(next, o.sealed, o.to.sealer)
			next.MetaSetMut(stage.MetaTopic, o.to.topic)
			next.MetaSet(stage.MetaKey, key)
		} else {
			stage.SetDecision(next, o.decision)
			stage.Route(next, w.decisions, key)
		}
		out = append(out, next)
	}
	clear(w.outcomes)
	return out
}

// base is the part of the seal record that all destinations of one event share.
func (w *worker) base(msg *service.Message, j *stage.Judgement, class string) seal.Record {
	rec := seal.Record{
		Policy:         w.rules.Policy.Version,
		Key:            j.Subject.Primary(),
		SubjectKey:     j.Subject.Joined,
		Class:          class,
		ConsentVersion: strconv.FormatInt(j.Verdict.Version, 10),
	}
	if id, ok := j.Index.Get(event.EventID); ok {
		rec.EventID = w.text(id)
	}
	rec.CorrelationID = rec.EventID
	if correlation, ok := j.Index.Get(event.CorrelationID); ok {
		rec.CorrelationID = w.text(correlation) // the event's own, not metadata that anything could have set
	}
	if ref, ok := stage.Origin(msg); ok {
		rec.SrcTopic, rec.SrcPartition, rec.SrcOffset = ref.Topic, ref.Partition, ref.Offset
	}
	return rec
}

func (w *worker) text(v event.Value) string {
	var scratch [128]byte
	return w.texts.String(v.Text(scratch[:0]))
}

// slabSize holds the bodies of some hundred events: one allocation instead of one each.
const slabSize = 256 << 10

// recordSlab is how many seal records one allocation holds.
const recordSlab = 64

func (w *worker) seal(j *stage.Judgement, i int, base *seal.Record) error {
	if need := 2 * len(j.Index.Buf); cap(w.slab)-len(w.slab) < need {
		w.slab = make([]byte, 0, max(slabSize, need))
	}
	start := len(w.slab)
	slab, err := w.plan.Project(i, w.slab, j.Index, &j.Verdict, &w.projection)
	if err != nil {
		return err
	}
	w.slab = slab
	if len(w.records) == 0 {
		w.records = make([]seal.Record, recordSlab)
	}
	rec := &w.records[0]
	w.records = w.records[1:]
	*rec = *base
	rec.Body = slab[start:len(slab):len(slab)]
	t := &w.destinations[i]
	rec.Destination, rec.Topic, rec.Requires = t.name, t.topic.(string), w.projection.Requires
	w.count(i)
	w.outcomes = append(w.outcomes, outcome{sealed: rec, to: t})
	return nil
}

func (w *worker) decide(j *stage.Judgement, i int, eventID, verdict, reason, rule string) {
	d := consent.Decision{
		EventID:        eventID,
		Destination:    w.destinations[i].name,
		Verdict:        verdict,
		Reason:         reason,
		Rule:           rule,
		Policy:         w.rules.Policy.Version,
		ConsentVersion: j.Verdict.Version,
		Stage:          "govern",
	}
	if name, ok := j.Index.Get(event.EventName); ok {
		d.EventName = w.text(name)
	}
	if at, ok := j.Index.Get(event.Timestamp); ok {
		d.Timestamp = at.String()
	}
	w.outcomes = append(w.outcomes, outcome{decision: d.Append(nil)})
}

func (w *worker) count(i int) {
	t := &w.tally[i]
	t.kept += int64(w.projection.Kept)
	t.dropped += int64(w.projection.Dropped)
	t.transformed += int64(w.projection.Transformed)
	t.failed += int64(w.projection.Failed)
}

// report adds up the metrics once per batch, because counters cost more than the fields they count.
func (w *worker) report() {
	for i := range w.tally {
		name, t := w.destinations[i].name, &w.tally[i]
		w.fields.Incr(t.kept, name, "kept")
		w.fields.Incr(t.dropped, name, "dropped")
		w.fields.Incr(t.transformed, name, "transformed")
		w.fields.Incr(t.failed, name, "transform_failed")
		*t = tally{}
	}
}
