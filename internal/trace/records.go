package trace

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/explain"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// found collects the records of the events that an id names.
type found struct {
	id       string
	receipts []*receipt.Receipt
	// named are the ids of events that the receipts name, and delivered where the deliveries lie that they are about.
	named     map[string]bool
	delivered map[Position]bool

	topics  *topics.Set
	scanner *event.Scanner
	index   event.Index
	events  map[string]*Event
	order   []string
	entered map[Position][]string // event ids by where they entered or were read, to be looked up
}

func newFound(id string, set *topics.Set) (*found, error) {
	dict, err := event.NewDictionary()
	if err != nil {
		return nil, err
	}
	return &found{
		id: id, named: map[string]bool{}, delivered: map[Position]bool{}, topics: set, scanner: event.NewScanner(dict, event.DefaultLimits), events: map[string]*Event{}, entered: map[Position][]string{},
	}, nil
}

func (f *found) event(id string) *Event {
	e, ok := f.events[id]
	if !ok {
		e = &Event{EventID: id}
		f.events[id] = e
		f.order = append(f.order, id)
	}
	return e
}

// take looks at one record of a topic and keeps what it says if it is about the id.
func (f *found) take(t topics.Topic, rec *kgo.Record) {
	if t.Role == topics.Receipts {
		f.receipt(rec)
		return
	}
	id, correlation := f.names(t, rec)
	if id == "" || (id != f.id && correlation != f.id && !f.named[id] && !f.ofDelivery(t, rec)) {
		return
	}
	e := f.event(id)
	if correlation != "" {
		e.CorrelationID = correlation
	}
	f.enter(e, t, rec)
}

// names are the ids of the event a record is about: by its headers, by its key or by its own words.
func (f *found) names(t topics.Topic, rec *kgo.Record) (id, correlation string) {
	id, correlation = header(rec, seal.HeaderEventID), header(rec, seal.HeaderCorrelationID)
	switch t.Role {
	case topics.Inbound:
		// Headers of senders say what they like.
		return f.words(rec.Value)
	case topics.Raw, topics.Validated:
		if id == "" {
			return f.words(rec.Value)
		}
	case topics.Quarantine:
		if id == "" {
			id = string(rec.Key)
		}
	case topics.Decisions:
		if id == "" && (len(f.receipts) > 0 || bytes.Contains(rec.Value, []byte(f.id))) {
			id = decision(rec).EventID
		}
	}
	return id, correlation
}

// words reads the ids out of an event, if it may be the one.
func (f *found) words(body []byte) (id, correlation string) {
	if !bytes.Contains(body, []byte(f.id)) || f.scanner.Scan(body, &f.index) != nil {
		return "", ""
	}
	if v, ok := f.index.Get(event.EventID); ok && event.ValidID(v.Raw()) {
		id = v.String()
	}
	if v, ok := f.index.Get(event.CorrelationID); ok && event.ValidID(v.Raw()) {
		correlation = v.String()
	}
	return id, correlation
}

// enter adds the step that a record is.
func (f *found) enter(e *Event, t topics.Topic, rec *kgo.Record) {
	step := Step{At: rec.Timestamp.UTC(), Position: positionOf(rec), Came: cameFrom(rec)}
	if step.Came != nil {
		f.look(*step.Came, e.EventID)
	}
	switch {
	case t.Destination != "":
		f.sealed(e, &step, t.Destination, rec)
	case t.Role == topics.Inbound:
		step.Stage, step.Outcome = "door", Received
		delete(f.entered, *step.Position)
	case t.Role == topics.Raw:
		step.Stage, step.Outcome = "ingest", Accepted
		e.sighted(rec)
		if e.evidence.Raw == nil || header(rec, stage.MetaReplayID) != "" {
			e.evidence.Raw = rec.Value // of the first: what follows repeats it or is another event
		}
		delete(f.entered, *step.Position)
	case t.Role == topics.Validated:
		step.Stage, step.Outcome = "validate", Stored
		e.evidence.Validated = rec.Value
		delete(f.entered, *step.Position)
	case t.Role == topics.Decisions:
		f.decided(e, &step, rec)
	case t.Role == topics.Quarantine:
		f.quarantined(e, &step, rec)
		if step.Reason == codeConflict && step.Came != nil {
			e.conflicts = append(e.conflicts, step)
			return
		}
	}
	e.Steps = append(e.Steps, step)
}

// look notes where an event entered. A list that was split is where several did.
func (f *found) look(at Position, id string) {
	if !slices.Contains(f.entered[at], id) {
		f.entered[at] = append(f.entered[at], id)
	}
}

func (f *found) sealed(e *Event, step *Step, destination string, rec *kgo.Record) {
	step.Stage, step.Outcome, step.Destination = "govern", Authorized, destination
	step.Policy, step.ConsentVersion = header(rec, seal.HeaderPolicy), header(rec, seal.HeaderConsentVersion)
	e.outcome(explain.Outcome{At: step.At, Destination: destination, Sealed: &explain.Sealed{
		Policy: step.Policy, ConsentVersion: step.ConsentVersion, Requires: header(rec, seal.HeaderRequires), Body: rec.Value,
	}})
}

func (f *found) decided(e *Event, step *Step, rec *kgo.Record) {
	d := decision(rec)
	step.Stage, step.Destination, step.Outcome, step.Reason, step.Rule = d.Stage, d.Destination, d.Verdict, d.Reason, d.Rule
	step.Policy, step.ConsentVersion = d.Policy, strconv.FormatInt(d.ConsentVersion, 10)
	e.outcome(explain.Outcome{At: step.At, Destination: d.Destination, Decision: &d})
}

func (f *found) quarantined(e *Event, step *Step, rec *kgo.Record) {
	step.Outcome, step.Destination = Quarantined, explain.Everywhere
	q, err := quarantine.ParseRecord(rec.Value)
	if err != nil {
		step.Stage, step.Reason = header(rec, "stage"), header(rec, "code")
		return
	}
	step.Stage, step.Reason, step.Path, step.Attempts, step.Came = q.Stage, q.Code, q.Path, q.Attempts, (*Position)(&q.Ref)
	if q.Destination != "" {
		step.Destination = q.Destination
	} else if name, ok := f.topics.DestinationOf(q.Ref.Topic); ok {
		step.Destination = name
	}
	f.look(*step.Came, e.EventID)
	if q.Code == codeConflict {
		return // what it means is known once all is
	}
	e.outcome(explain.Outcome{At: step.At, Destination: step.Destination, Fault: &explain.Fault{Stage: q.Stage, Code: q.Code, Path: q.Path}})
}

func (e *Event) outcome(o explain.Outcome) { e.evidence.Outcomes = append(e.evidence.Outcomes, o) }

// has reports whether the record at a position is among the steps.
func (e *Event) has(at Position) bool {
	for i := range e.Steps {
		if p := e.Steps[i].Position; p != nil && *p == at && e.Steps[i].Outcome != Delivered {
			return true
		}
	}
	return false
}

// decision reads a record of the decisions topic. What cannot be read stays empty.
func decision(rec *kgo.Record) consent.Decision {
	var wire struct {
		EventID        string `json:"event_id"`
		EventName      string `json:"event_name"`
		Timestamp      string `json:"timestamp"`
		Destination    string `json:"destination"`
		Verdict        string `json:"verdict"`
		Reason         string `json:"reason"`
		Rule           string `json:"rule"`
		Policy         string `json:"policy"`
		ConsentVersion int64  `json:"consent_version"`
		Stage          string `json:"stage"`
	}
	if err := json.Unmarshal(rec.Value, &wire); err != nil {
		return consent.Decision{}
	}
	return consent.Decision(wire)
}

func positionOf(rec *kgo.Record) *Position { return &Position{rec.Topic, rec.Partition, rec.Offset} }

// cameFrom is where the event entered the pipelines, as every hop carries it on.
func cameFrom(rec *kgo.Record) *Position {
	partition, err := strconv.ParseInt(header(rec, seal.HeaderSrcPartition), 10, 32)
	if err != nil {
		return nil
	}
	offset, err := strconv.ParseInt(header(rec, seal.HeaderSrcOffset), 10, 64)
	if err != nil {
		return nil
	}
	return &Position{header(rec, seal.HeaderSrcTopic), int32(partition), offset}
}

func header(rec *kgo.Record, name string) string {
	for i := range rec.Headers {
		if rec.Headers[i].Key == name {
			return string(rec.Headers[i].Value)
		}
	}
	return ""
}
