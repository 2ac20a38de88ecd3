// Package books is the conservation table: it proves that every accepted event came to exactly one counted end at
// every destination.
//
//	accepted = delivered + denied + quarantined + suppressed + waiting
//
// The rule is held event by event, not only in sums: two faults that cancel out in a sum (one event lost, another
// delivered that nobody accepted) are both found. A Ledger takes in what each place of the pipeline holds, in any
// order; Compute closes the books. Nothing in this package keeps or prints an event's content: events are known by
// id, and problems name ids only.
package books

import (
	"maps"
	"slices"
)

// Everywhere is the destination of a decision that holds for all destinations.
const Everywhere = "*"

// Extent says how far the books follow a destination.
type Extent uint8

const (
	// ToSink counts what the destination's store holds.
	ToSink Extent = iota
	// ToTopic counts what lies authorized on the destination's topic: nothing of ours reads it yet.
	ToTopic
)

// String is "sink" or "topic".
func (e Extent) String() string {
	if e == ToTopic {
		return "topic"
	}
	return "sink"
}

// Destination is one destination of the policy as the books see it. Topic is its authorized topic, or empty where
// a stream leads straight to the sink.
type Destination struct {
	Name   string
	Topic  string
	Extent Extent
}

// suppressing are the reasons that count as suppressed instead of denied.
var suppressing = map[string]bool{"suppressed": true, "erased": true}

// Row is the account of one destination, in events (unique ids) except where it says copies.
type Row struct {
	Destination string `json:"destination"`
	// CountedTo is "sink" or "topic".
	CountedTo string `json:"counted_to"`
	Topic     string `json:"topic,omitempty"`

	Accepted    int `json:"accepted"`
	Delivered   int `json:"delivered"`
	Denied      int `json:"denied"`
	Quarantined int `json:"quarantined"`
	Suppressed  int `json:"suppressed"`
	Waiting     int `json:"waiting"`
	// Duplicates are copies that clients sent beyond the first of an id. They are not lost: they are the same event.
	Duplicates int `json:"duplicates"`
	// Repeated are copies that our own hops made and the destination did not keep.
	Repeated int `json:"repeated"`
	// Rejudged are events that were given, and denied when a hop had to judge them again and consent had been withdrawn meanwhile.
	// They count as delivered.
	Rejudged int `json:"rejudged,omitempty"`
	// Balance is accepted minus all ends. It is zero in balanced books; above zero events are missing.
	Balance int `json:"balance"`

	Reasons  map[string]int `json:"reasons,omitempty"`
	Codes    map[string]int `json:"codes,omitempty"`
	Problems []Problem      `json:"problems,omitempty"`
}

// Balanced tells whether this destination's account closes without a problem.
func (r *Row) Balanced() bool { return r.Balance == 0 && len(r.Problems) == 0 }

// Books are the closed accounts of all destinations, in the order the ledger was given them.
type Books struct {
	Rows []Row `json:"destinations"`
	// Leaks are canaries found where they must not be (see Leaks).
	Leaks []Leak `json:"leaks,omitempty"`
}

// Balanced tells whether every account closes, no problem was seen, and no canary leaked. Books without any
// destination are not balanced: nothing was proved.
func (b *Books) Balanced() bool {
	for i := range b.Rows {
		if !b.Rows[i].Balanced() {
			return false
		}
	}
	return len(b.Rows) > 0 && len(b.Leaks) == 0
}

// Drained tells whether nothing waits any more: the pipeline has seen all it was sent.
func (b *Books) Drained() bool {
	for i := range b.Rows {
		if b.Rows[i].Waiting > 0 {
			return false
		}
	}
	return true
}

// Row returns the account of a destination.
func (b *Books) Row(destination string) (*Row, bool) {
	i := slices.IndexFunc(b.Rows, func(r Row) bool { return r.Destination == destination })
	if i < 0 {
		return nil, false
	}
	return &b.Rows[i], true
}

// ProblemKind names one way in which books fail to close.
type ProblemKind string

const (
	// Lost events were accepted, wait nowhere, and came to no end.
	Lost ProblemKind = "lost"
	// Twice events lie at the destination more often than clients sent them.
	Twice ProblemKind = "delivered_twice"
	// Conflict events came to two different ends though they were sent once.
	Conflict ProblemKind = "two_ends"
	// Unauthorized events were delivered without lying on the destination's topic.
	Unauthorized ProblemKind = "unauthorized"
	// Unknown events came to an end without ever having been accepted.
	Unknown ProblemKind = "unknown"
	// SinkBooks says that the sink's own totals differ from what it holds.
	SinkBooks ProblemKind = "sink_totals_differ"
)

// maxExamples is how many ids a problem names.
const maxExamples = 5

// Problem is one kind of fault with the number of events it touches and the first few of their ids, sorted.
type Problem struct {
	Kind     ProblemKind `json:"kind"`
	Events   int         `json:"events"`
	Examples []string    `json:"examples,omitempty"`
}

// problems collects faults by kind.
type problems map[ProblemKind]*Problem

func (p problems) add(kind ProblemKind, id string) {
	found := p[kind]
	if found == nil {
		found = &Problem{Kind: kind}
		p[kind] = found
	}
	found.Events++
	at, _ := slices.BinarySearch(found.Examples, id)
	if at >= maxExamples {
		return
	}
	found.Examples = slices.Insert(found.Examples, at, id)
	found.Examples = found.Examples[:min(len(found.Examples), maxExamples)]
}

func (p problems) list() []Problem {
	var out []Problem
	for _, kind := range slices.Sorted(maps.Keys(p)) {
		out = append(out, *p[kind])
	}
	return out
}
