// Package explain says of one event what the gate does with it, field by field and destination by destination, and which
// line of policy or contract makes it so. It runs the gate's own code (contract, consent and policy), keeps the decisions
// and throws the output away, so an explanation cannot differ from what is done. It never holds a value of an event.
package explain

import (
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
)

// Verdicts about an event at a destination.
const (
	Allowed     = "allowed"
	Denied      = "denied"
	Quarantined = "quarantined"
	Undecided   = "undecided" // nothing was found that tells
)

// Decisions about a field.
const (
	Keep        = "keep"
	Transform   = "transform"
	Drop        = "drop"       // a rule drops it
	NotListed   = "not_listed" // no rule names it, so it does not go
	NotRequired = "requires"   // it goes only with consent to a further purpose, which does not hold
	WrongType   = "wrong_type" // the value is not of the type the rule is for
	Unreadable  = "unreadable" // its transform cannot read the value
	Remove      = "remove"     // its contract does not declare it: the validate stage removes it
)

// What an explanation of consent rests on.
const (
	BasisClaim    = "claim"    // the event's own words; the current state was not asked
	BasisGiven    = "given"    // purposes that the caller states, and the event's own words for the others
	BasisDecision = "decision" // what the records of the running system say was decided
)

// Report is the explanation of one event. Its JSON is stable: fields are added, not renamed.
type Report struct {
	EventID   string `json:"event_id,omitempty"`
	EventName string `json:"event_name,omitempty"` // empty for events that no contract has
	// Policies are the versions that the destinations' verdicts name, in their order.
	Policies []Policy  `json:"policies"`
	Contract *Contract `json:"contract,omitempty"`
	Consent  *Consent  `json:"consent,omitempty"`
	// Faults say why the event goes to quarantine; the gate reports the first.
	Faults []Fault `json:"faults,omitempty"`
	// Removed are values that never pass the validate stage.
	Removed      []Field       `json:"removed,omitempty"`
	Destinations []Destination `json:"destinations"`
	Notes        []string      `json:"notes,omitempty"`
}

// Policy is a version and the hash over it and its contracts.
type Policy struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
}

// Contract is what the event is held to.
type Contract struct {
	Event   string `json:"event"`
	Version string `json:"version"`
	Class   string `json:"class"`
	Rule    string `json:"rule"` // file:line
}

// Consent is what may be relied on.
type Consent struct {
	Basis    string    `json:"basis"`
	Purposes []Purpose `json:"purposes,omitempty"`
}

// Purpose is one of the policy's purposes. Reason says why it does not hold.
type Purpose struct {
	Purpose string `json:"purpose"`
	Holds   bool   `json:"holds"`
	Reason  string `json:"reason,omitempty"`
}

// Fault is why an event goes to quarantine.
type Fault struct {
	Stage  string `json:"stage"`
	Code   string `json:"code"`
	Path   string `json:"path,omitempty"`
	Rule   string `json:"rule,omitempty"` // file:line of the contract that demands otherwise
	Remedy string `json:"remedy,omitempty"`
}

// Destination is the verdict about the event at one destination, and where it was allowed every field.
type Destination struct {
	Destination    string  `json:"destination"`
	Verdict        string  `json:"verdict"`
	Stage          string  `json:"stage,omitempty"` // that decided
	Reason         string  `json:"reason,omitempty"`
	Rule           string  `json:"rule,omitempty"` // file:line
	Policy         string  `json:"policy,omitempty"`
	ConsentVersion string  `json:"consent_version,omitempty"` // of the record or claim that was relied on
	State          string  `json:"state,omitempty"`           // how far it came in the running system
	Fields         []Field `json:"fields,omitempty"`
	// Verified says that the record in the destination's topic has exactly the fields that go by this explanation. It is
	// absent where there is no such record.
	Verified *bool `json:"verified,omitempty"`
}

// Field is the decision about the values at one path.
type Field struct {
	Path     string `json:"path"`
	Decision string `json:"decision"`
	Rule     string `json:"rule,omitempty"` // file:line
	Text     string `json:"text,omitempty"` // the rule as written
	Reason   string `json:"reason,omitempty"`
	Values   int    `json:"values"` // how many the event has there
}

// Goes reports whether the destination gets something of the field.
func (f *Field) Goes() bool { return f.Decision == Keep || f.Decision == Transform }

// Quarantined reports whether the event ends in quarantine.
func (r *Report) Quarantined() bool { return len(r.Faults) > 0 }

func contractOf(c *contract.Contract) *Contract {
	return &Contract{Event: c.Event, Version: c.Version, Class: c.Class.Name, Rule: where(c.File, c.Line)}
}

// faultOf words a fault; c is nil where the contract is not what demands otherwise.
func faultOf(stage string, f *event.Fault, c *contract.Contract) Fault {
	out := Fault{Stage: stage, Code: f.Code, Path: f.Path, Remedy: f.Remedy}
	if c == nil {
		return out
	}
	out.Rule = where(c.File, c.Line)
	if p := propertyAt(c.Properties, f.Path); p != nil {
		out.Rule = where(p.File, p.Line)
	}
	return out
}

func propertyAt(list []*contract.Property, path string) *contract.Property {
	for _, p := range list {
		if p.Path == path || p.LeafPath() == path {
			return p
		}
		if found := propertyAt(p.Properties, path); found != nil {
			return found
		}
	}
	return nil
}
