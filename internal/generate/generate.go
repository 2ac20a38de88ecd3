// Package generate makes realistic product and marketing events from a seed: journeys of made-up people through
// signing up, a trial, daily use, invoices and campaigns, as canonical envelopes. The same options give the same bytes, on any
// machine. Every event says what should become of it, so that a pipeline can be checked against a ledger it did not
// write itself.
//
// All addresses are of example.com and of the documentation ranges of the Internet protocols: no person is meant.
package generate

import (
	"math/rand/v2"
	"time"
)

// Options say what to generate. Shares are between 0 and 1. The zero value of a field stands for its default.
type Options struct {
	// Seed decides everything that looks random.
	Seed uint64
	// Count is the number of events; 0 is no end.
	Count int
	// Users is the number of made-up people; default 1000.
	Users int
	// Start is the time of the first event; default is 2026-01-01. Contracts and envelopes judge ages by the clock, so
	// give a recent time for events that are to be delivered.
	Start time.Time
	// Span is the time from the first event to the last; default one hour.
	Span time.Duration
	// Step is the time between two events when there is no Count; default one second. Span then only says when people
	// withdraw.
	Step time.Duration
	// BadShare is the share of events with exactly one flaw, each labelled with the code it must be quarantined under.
	BadShare float64
	// MissingConsentShare is the share of events that carry no consent at all.
	MissingConsentShare float64
	// WithdrawnShare is the share of people who withdraw consent on the way: their later events claim less, and
	// Statements lists what they said.
	WithdrawnShare float64
	// RepeatShare is the share of events that are sent again, byte for byte, as a client does that got no answer.
	RepeatShare float64
	// CanaryEvery plants canaries in the direct identifiers of every n-th event; 0 plants none.
	CanaryEvery int
}

// DefaultStart is the time of the first event when Options name none.
var DefaultStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (o Options) withDefaults() Options {
	if o.Users <= 0 {
		o.Users = 1000
	}
	if o.Start.IsZero() {
		o.Start = DefaultStart
	}
	if o.Span <= 0 {
		o.Span = time.Hour
	}
	if o.Step <= 0 {
		o.Step = time.Second
	}
	if o.Count > 0 {
		o.Step = max(o.Span/time.Duration(o.Count), time.Microsecond)
	}
	return o
}

// Kind says why an event is in the stream.
type Kind uint8

const (
	// Journey is a well-formed event.
	Journey Kind = iota
	// Repeat is an earlier event, sent again.
	Repeat
	// Flawed is an event with one flaw.
	Flawed
)

// String is the kind's name in ledgers.
func (k Kind) String() string {
	return [...]string{"journey", "repeat", "flawed"}[k]
}

// Subject holds the ids of whom an event is about; empty where the event has none of that kind.
type Subject struct {
	UserID      string `json:"user_id,omitempty"`
	AccountID   string `json:"account_id,omitempty"`
	AnonymousID string `json:"anonymous_id,omitempty"`
}

// Event is one generated event.
type Event struct {
	// Bytes is the record's value, one line. It is the caller's: appended to what was given to Next.
	Bytes []byte
	// ID is the event id the bytes hold. Events too broken to be read have one here all the same.
	ID string
	// Name is the event's name, also where a flaw hides it.
	Name    string
	Kind    Kind
	Subject Subject
	// Time is when the user acted.
	Time   time.Time
	Expect Expect
}

// Generator makes one stream of events. It is not safe for concurrent use.
type Generator struct {
	opts     Options
	rng      *rand.PCG
	random   *rand.Rand
	users    []user
	made     int
	last     Event
	canaries []Canary
}

// New starts a stream.
func New(opts Options) *Generator {
	opts = opts.withDefaults()
	source := rand.NewPCG(opts.Seed, 0x6562626761746531)
	g := &Generator{opts: opts, rng: source, random: rand.New(source)}
	g.users = make([]user, opts.Users)
	for i := range g.users {
		g.users[i] = newUser(g, i)
	}
	return g
}

// Next appends the next event's bytes to dst and describes it. It is false, with nothing appended, at the end.
func (g *Generator) Next(dst []byte) (Event, bool) {
	if g.opts.Count > 0 && g.made >= g.opts.Count {
		return Event{Bytes: dst}, false
	}
	n := g.made
	g.made++
	if n > 0 && g.chance(g.opts.RepeatShare) && g.last.Kind == Journey {
		again := g.last
		again.Kind = Repeat
		again.Bytes = append(dst, g.last.Bytes...)
		return again, true
	}
	from := len(dst)
	ev := g.build(dst, n)
	g.remember(ev, from)
	return ev, true
}

// remember keeps a copy of the event for a repeat, when repeats are wanted.
func (g *Generator) remember(ev Event, from int) {
	if g.opts.RepeatShare <= 0 {
		return
	}
	ev.Bytes = append(g.last.Bytes[:0], ev.Bytes[from:]...)
	g.last = ev
}

// build makes a new event of a person who acts now.
func (g *Generator) build(dst []byte, n int) Event {
	now := g.opts.Start.Add(time.Duration(n) * g.opts.Step)
	// Some people act far more often than others.
	share := g.random.Float64()
	who := &g.users[int(share*share*float64(len(g.users)))]
	d := draft{Generator: g, n: n, now: now, who: who, name: who.act(g)}
	d.canary = g.opts.CanaryEvery > 0 && n%g.opts.CanaryEvery == 0
	d.describe()
	if g.chance(g.opts.BadShare) {
		return d.flawed(dst)
	}
	return d.event(d.envelope(dst), Journey)
}

func (g *Generator) chance(share float64) bool {
	return share > 0 && g.random.Float64() < share
}

// pick returns one of the texts.
func (g *Generator) pick(texts ...string) string { return texts[g.random.IntN(len(texts))] }
