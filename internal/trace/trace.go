// Package trace follows one event through the topics and stores of a running system: every stage, attempt and outcome at
// every destination. It shows codes, rules, versions and positions, never a value of the event.
package trace

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/explain"
	"github.com/ebbgate/ebbgate/internal/receipt"
)

// What a step records.
const (
	Received    = "received"    // on the topic where events enter
	Accepted    = "accepted"    // has an envelope, an id and a subject
	Duplicate   = "duplicate"   // the record before it has the same id and content: taken out
	Conflict    = "conflict"    // another event that came under this id is in quarantine; it says nothing of this one
	Stored      = "stored"      // keeps its contract and may be stored
	Authorized  = "authorized"  // sealed for a destination
	Allowed     = "allowed"     // a decision record of an allowance, of which a sample is kept
	Denied      = "denied"      // a decision record, or one held back at export
	Quarantined = "quarantined" // a record on the topic with role quarantine
	Delivered   = "delivered"   // a row in the destination's store
	Settled     = "settled"     // the sink has finished the chunk of the record without a row of it
)

// Waiting is how an event ends, for now, at a destination that nothing is known of.
const Waiting = "waiting"

// Position is where a record lies.
type Position struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

// Step is one thing that happened to an event.
type Step struct {
	At             time.Time `json:"at"`
	Stage          string    `json:"stage"`
	Destination    string    `json:"destination,omitempty"` // "*" for all
	Outcome        string    `json:"outcome"`
	Reason         string    `json:"reason,omitempty"` // of a denial, or the code of a quarantine
	Path           string    `json:"path,omitempty"`   // the field a quarantine is about
	Rule           string    `json:"rule,omitempty"`   // file:line
	Attempts       int       `json:"attempts,omitempty"`
	Policy         string    `json:"policy,omitempty"`
	ConsentVersion string    `json:"consent_version,omitempty"`
	ReplayEpoch    uint32    `json:"replay_epoch,omitempty"`
	Position       *Position `json:"position,omitempty"` // of the record, or of the record a row was made of
	Came           *Position `json:"from,omitempty"`     // where the event entered the pipelines
}

// End is what became of an event at one destination.
type End struct {
	Destination string `json:"destination"`
	Outcome     string `json:"outcome"`
	Reason      string `json:"reason,omitempty"`
	Copies      int    `json:"copies,omitempty"` // rows, where a client sent the event more than once
}

// Event is all that was found of one event.
type Event struct {
	EventID       string `json:"event_id"`
	CorrelationID string `json:"correlation_id,omitempty"`
	Steps         []Step `json:"steps"` // in order of time
	Ends          []End  `json:"ends"`  // in order of the policy

	evidence explain.Evidence
	sights   []sight
	// conflicts are the records of quarantine of events that came under the id of another.
	conflicts []Step
}

// Evidence is what an explanation of the event's fields needs.
func (e *Event) Evidence() explain.Evidence { return e.evidence }

// Search says where was looked, and how long it took.
type Search struct {
	Since  *time.Time `json:"since,omitempty"` // nil for all there is
	Topics []Searched `json:"topics"`
	Store  bool       `json:"store"` // whether a store was asked
	// StoreError is why the store did not answer. What topics tell stands.
	StoreError string  `json:"store_error,omitempty"`
	Seconds    float64 `json:"seconds"`
}

// Searched is one topic and how many records were read.
type Searched struct {
	Topic   string `json:"topic"`
	Records int64  `json:"records"`
}

// Trace is the answer to one id.
type Trace struct {
	ID string `json:"id"`
	// Receipts are the attempts at the webhook door that the id names, or that delivered what it names.
	Receipts []*receipt.Receipt `json:"receipts,omitempty"`
	Events   []Event            `json:"events"`
	Search   Search             `json:"search"`
}

// finish orders the steps and says what became of the event.
func (e *Event) finish(destinations []string) {
	e.takenOut()
	e.contested()
	slices.SortStableFunc(e.Steps, func(a, b Step) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return rank(a.Outcome) - rank(b.Outcome)
	})
	e.evidence.EventID, e.evidence.Destinations, e.evidence.States = e.EventID, destinations, map[string]string{}
	for _, name := range destinations {
		end := e.end(name)
		e.Ends = append(e.Ends, end)
		e.evidence.States[name] = strings.TrimSpace(end.Outcome + " " + end.Reason)
	}
}

// order is that in which outcomes of one moment happened.
var order = []string{Received, Accepted, Duplicate, Conflict, Stored, Authorized, Allowed, Denied, Quarantined, Delivered, Settled}

func rank(outcome string) int { return slices.Index(order, outcome) }

// end is the last word about a destination. A row outlives what was said before it, and is outlived by nothing.
func (e *Event) end(destination string) End {
	end := End{Destination: destination, Outcome: Waiting}
	for _, s := range e.Steps {
		if s.Destination != destination && s.Destination != explain.Everywhere && s.Destination != "" {
			continue
		}
		switch s.Outcome {
		case Delivered:
			end.Outcome, end.Reason = Delivered, ""
			end.Copies++
		case Denied, Quarantined, Authorized:
			if end.Outcome != Delivered {
				end.Outcome, end.Reason = s.Outcome, s.Reason
			}
		case Settled: // says no more than that the sink is done with it
			if end.Outcome == Authorized {
				end.Outcome = Settled
			}
		}
	}
	if end.Copies == 1 {
		end.Copies = 0
	}
	return end
}

// String says where was looked and for how long.
func (s *Search) String() string {
	records, names := int64(0), make([]string, len(s.Topics))
	for i, t := range s.Topics {
		records += t.Records
		names[i] = t.Topic
	}
	since, store := "from their beginning", "no store was asked (--clickhouse-dsn)"
	if s.Since != nil {
		since = "since " + s.Since.Format(time.RFC3339) + " (--since)"
	}
	switch {
	case s.StoreError != "":
		store = "the store did not answer"
	case s.Store:
		store = "rows were looked for too"
	}
	return fmt.Sprintf("read %d records of %s, %s, in %.1f s; %s", records, strings.Join(names, ", "), since, s.Seconds, store)
}
