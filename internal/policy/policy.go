package policy

import (
	"strconv"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

// Policy is a compiled policy file. It is immutable and safe for concurrent use.
type Policy struct {
	Version      string
	VersionLine  int
	SHA256       string // hex, of the file's bytes
	File         string
	Destinations []*Destination // in the order of the file
	Sources      map[string]Source

	purposes *consent.Purposes
	events   map[string]bool // that have a contract
}

// Source is what the policy knows of a context.source. A source that is not listed carries its consent in the event.
type Source struct {
	Name string
	// LookupOnly is a source that cannot carry consent: only a consent record can allow a purpose.
	LookupOnly bool
	Choices    Choices
	Line       int
}

// Choices says which choices of consent that a source tells of go into the subject's record.
type Choices uint8

// What a source's choices count for. Withdrawals is what counts of sources that say nothing, and of those the policy does not list.
const (
	Withdrawals Choices = iota
	AllChoices
	NoChoices
)

// Takes returns what counts of a choice: the purposes that may go into the record.
func (c Choices) Takes(stated, given consent.Mask) consent.Mask {
	switch c {
	case AllChoices:
		return stated
	case Withdrawals:
		return stated &^ given
	}
	return 0
}

// Destination is a named place data may go, with the rules for it.
type Destination struct {
	Name      string
	Purpose   string // must hold for an event to go there at all
	Owner     string
	Kind      string // clickhouse, warehouse, http or topic
	Retention time.Duration
	CanDelete bool
	Events    []string // that may go there; empty for all that have a contract
	// UnlessSuppressed refuses the events of suppressed subjects. Those of erased subjects are refused everywhere.
	UnlessSuppressed bool
	Rules            []*Rule // in the order of the file
	File             string
	Line             int

	purposeLine, unlessLine, eventsLine int
}

// PurposeRule is the line that says which purpose must hold, as decisions cite it: "policy.yaml:12".
func (d *Destination) PurposeRule() string { return where(d.File, d.purposeLine) }

// UnlessRule is the line that keeps erased and suppressed subjects out, as decisions cite it.
func (d *Destination) UnlessRule() string { return where(d.File, d.unlessLine) }

// Op is what a rule does with a value.
type Op uint8

// The operations.
const (
	Drop Op = iota
	Keep
	Transform
)

// Rule is one line below a destination's fields.
type Rule struct {
	Path      string
	Op        Op
	Transform string // name of the transform, with Op Transform
	Text      string // as written: "tokenize", "{truncate_ip: {v4: 24, v6: 48}}"
	Requires  string // a further purpose that must hold for this field, or ""
	File      string
	Line      int

	argument any   // of the transform
	kinds    uint8 // bit per event.Kind that contracts allow at the path; others do not go
}

// Where is the rule's place in the file, as decisions cite it: "policy.yaml:41".
func (r *Rule) Where() string { return where(r.File, r.Line) }

func where(file string, line int) string { return file + ":" + strconv.Itoa(line) }

// Purposes are all purposes the policy knows: those of its destinations and of the storage of classes. Claims and verdicts for the
// policy are made with this list.
func (p *Policy) Purposes() *consent.Purposes { return p.purposes }

// Destination finds a destination by name.
func (p *Policy) Destination(name string) (*Destination, bool) {
	i, ok := p.Index(name)
	if !ok {
		return nil, false
	}
	return p.Destinations[i], true
}

// Index finds a destination's position, which is how workers name it.
func (p *Policy) Index(name string) (int, bool) {
	for i, d := range p.Destinations {
		if d.Name == name {
			return i, true
		}
	}
	return 0, false
}

// Claim reads the event's claim of consent with a reader for the policy's purposes, and marks it where its source cannot carry one.
func (p *Policy) Claim(r *consent.Reader, ix *event.Index) (consent.Claim, *event.Fault) {
	claim, fault := r.Read(ix)
	if source, ok := ix.Get(event.ContextSource); ok && source.Kind() == event.String {
		var scratch [128]byte
		claim.LookupOnly = p.LookupOnly(source.Text(scratch[:0]))
	}
	return claim, fault
}

// Source is what the policy says of a source, by the text of context.source. It does not allocate.
func (p *Policy) Source(name []byte) (s Source, ok bool) {
	s, ok = p.Sources[string(name)]
	return s, ok
}

// LookupOnly reports whether the source, as the text of context.source, cannot carry consent. It does not allocate.
func (p *Policy) LookupOnly(source []byte) bool { return p.Sources[string(source)].LookupOnly }
