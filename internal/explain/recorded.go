package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// Evidence is what the running system holds of one event.
type Evidence struct {
	EventID string
	// Destinations are all there are, in the order to explain them.
	Destinations []string
	// Raw and Validated are the event as it was accepted and as it was judged; nil where no topic holds it any more.
	Raw, Validated []byte
	Outcomes       []Outcome
	States         map[string]string // how far the event came, by destination
}

// Outcome is one thing that was decided of the event. Exactly one of Sealed, Decision and Fault is set.
type Outcome struct {
	At          time.Time
	Destination string // "*" for all
	Sealed      *Sealed
	Decision    *consent.Decision
	Fault       *Fault
}

// Sealed is a record that was allowed to a destination. Where only a row of the destination's store tells of it, Body is nil.
type Sealed struct {
	Policy, ConsentVersion, Requires string
	Body                             []byte
}

// Everywhere is how records name all destinations.
const Everywhere = "*"

// Rules finds the policy and contracts of a version that a record names.
type Rules func(version string) (*workspace.Workspace, error)

// Recorded explains what was decided of an event, by the policy versions on its records. The latest outcome at a
// destination counts. An explanation that cannot be given is replaced by a note that says why.
func Recorded(ev Evidence, rules Rules) *Report {
	x := &recorder{ev: ev, rules: rules, known: map[string]*Explainer{}, report: &Report{
		EventID: ev.EventID, Policies: []Policy{}, Destinations: []Destination{},
	}}
	for _, o := range ev.Outcomes {
		if o.Fault != nil && o.Destination == Everywhere {
			x.report.Faults = append(x.report.Faults, *o.Fault)
		}
	}
	for _, name := range ev.Destinations {
		x.report.Destinations = append(x.report.Destinations, x.destination(name))
	}
	x.consent()
	if ev.Validated == nil && !x.report.Quarantined() {
		x.report.note("the event is no longer on the topic with role validated: its fields cannot be explained one by one")
	}
	return x.report
}

type recorder struct {
	ev     Evidence
	rules  Rules
	known  map[string]*Explainer
	report *Report
}

func (x *recorder) destination(name string) Destination {
	d := Destination{Destination: name, Verdict: Undecided, State: x.ev.States[name]}
	switch o := x.latest(name); {
	case o == nil:
	case o.Fault != nil:
		d.Verdict, d.Stage, d.Reason, d.Rule = Quarantined, o.Fault.Stage, o.Fault.Code, o.Fault.Rule
	case o.Decision != nil:
		d.Verdict, d.Stage, d.Reason, d.Rule = Denied, o.Decision.Stage, o.Decision.Reason, o.Decision.Rule
		d.Policy, d.ConsentVersion = o.Decision.Policy, fmt.Sprint(o.Decision.ConsentVersion)
		x.explainer(d.Policy)
	default:
		d.Verdict, d.Stage, d.Policy, d.ConsentVersion = Allowed, stageGovern, o.Sealed.Policy, o.Sealed.ConsentVersion
		x.allowed(&d, o.Sealed)
	}
	return d
}

func (x *recorder) latest(destination string) (last *Outcome) {
	for i := range x.ev.Outcomes {
		o := &x.ev.Outcomes[i]
		if o.Decision != nil && o.Decision.Verdict != consent.Denied {
			continue // an allowance says no more than the sealed record beside it
		}
		if (o.Destination == destination || o.Destination == Everywhere) && (last == nil || !o.At.Before(last.At)) {
			last = o
		}
	}
	return last
}

// explainer returns the explainer of a version, or nil after a note.
func (x *recorder) explainer(version string) *Explainer {
	if e, ok := x.known[version]; ok {
		return e
	}
	var e *Explainer
	ws, err := x.rules(version)
	if err == nil {
		e, err = New(ws)
	}
	x.known[version] = e
	if err != nil {
		x.report.note("policy " + version + ": " + err.Error())
		return nil
	}
	x.report.Policies = append(x.report.Policies, e.policy())
	x.event(e)
	return e
}

// event fills in what the report says of the event itself, from the bytes that are still there.
func (x *recorder) event(e *Explainer) {
	r := &Report{}
	if ix, err := e.scan(x.ev.Raw); x.ev.Raw != nil && err == nil {
		e.validate(r, ix)
	} else if ix, err := e.scan(x.ev.Validated); x.ev.Validated != nil && err == nil {
		e.validate(r, ix)
	}
	if x.report.Contract == nil {
		x.report.EventName, x.report.Contract, x.report.Removed = r.EventName, r.Contract, r.Removed
	}
}

func (x *recorder) allowed(d *Destination, sealed *Sealed) {
	e := x.explainer(sealed.Policy)
	if e == nil {
		return
	}
	i, known := e.ws.Policy.Index(d.Destination)
	if !known {
		x.report.note("policy " + sealed.Policy + " has no destination " + d.Destination)
		return
	}
	own := e.ws.Policy.Destinations[i]
	d.Rule = where(own.File, own.Line)
	if x.ev.Validated == nil {
		return
	}
	ix, err := e.scan(x.ev.Validated)
	if err != nil {
		x.report.note("the event on the topic with role validated is not one that policy " + sealed.Policy + " could read")
		return
	}
	x.fields(d, e, i, ix, sealed)
}

// fields explains each field by what the sealed record says it relied on, and holds the result against the record's body.
func (x *recorder) fields(d *Destination, e *Explainer, i int, ix *event.Index, sealed *Sealed) {
	var body map[string]bool
	if sealed.Body != nil {
		body = e.paths(sealed.Body)
	} else {
		x.report.note(d.Destination + ": only its row is left, so further purposes are taken from the event's own claim")
	}
	held := e.held(d.Destination, ix, sealed)
	for k, v := range e.verdicts(held) {
		fields := e.fields(i, ix, v)
		same := body != nil && equal(fields, body)
		if k == 0 || same {
			d.Fields = fields
		}
		if body != nil {
			d.Verified = &same
		}
		if same {
			return
		}
	}
}

// held is what the record relied on.
func (e *Explainer) held(destination string, ix *event.Index, sealed *Sealed) (held consent.Mask) {
	own, _ := e.ws.Policy.Destination(destination)
	names := []string{own.Purpose}
	if needs, err := policy.ParseRequires(sealed.Requires); err == nil {
		for _, f := range needs.Fields {
			names = append(names, f.Purpose)
		}
	} else if claim, fault := e.ws.Policy.Claim(e.claims, ix); fault == nil {
		held = claim.Given
	}
	for _, name := range names {
		bit, _ := e.ws.Policy.Purposes().Bit(name)
		held |= bit
	}
	return held
}

// verdicts are those that may have led to a record: by the event's claim alone, or by a consent record with or without a
// source. They differ in which texts of the consent object there are.
func (e *Explainer) verdicts(held consent.Mask) []*consent.Verdict {
	base := consent.Verdict{Purposes: e.ws.Policy.Purposes(), Held: held, CheckedAt: time.Unix(0, 0)}
	claimed, recorded, sourced := base, base, base
	recorded.Recorded = true
	sourced.Recorded, sourced.Source = true, "recorded"
	return []*consent.Verdict{&claimed, &sourced, &recorded}
}

// paths are the fields that a projected body has.
func (e *Explainer) paths(body []byte) map[string]bool {
	found := map[string]bool{}
	ix, err := e.scan(body)
	if err != nil {
		return found
	}
	c := e.collect(ix)
	if len(ix.Nodes) > 1 {
		c.each(0, func(path string) { found[path] = true })
	}
	return found
}

func equal(fields []Field, body map[string]bool) bool {
	going := map[string]bool{}
	for i := range fields {
		if fields[i].Goes() {
			going[fields[i].Path] = true
		}
	}
	if len(going) != len(body) {
		return false
	}
	for path := range going {
		if !body[path] {
			return false
		}
	}
	return true
}

// consent words what the outcomes say of purposes.
func (x *recorder) consent() {
	c := &Consent{Basis: BasisDecision}
	add := func(p Purpose) {
		if !slices.ContainsFunc(c.Purposes, func(q Purpose) bool { return q.Purpose == p.Purpose && q.Holds == p.Holds }) {
			c.Purposes = append(c.Purposes, p)
		}
	}
	for _, o := range x.ev.Outcomes {
		switch {
		case o.Sealed != nil:
			if needs, err := policy.ParseRequires(o.Sealed.Requires); err == nil {
				add(Purpose{Purpose: needs.Purpose, Holds: true})
				for _, f := range needs.Fields {
					add(Purpose{Purpose: f.Purpose, Holds: true})
				}
			}
		case o.Decision != nil && o.Decision.Verdict == consent.Denied:
			if name := purposeOf(o.Decision.Reason); name != "" {
				add(Purpose{Purpose: name, Reason: o.Decision.Reason})
			}
		}
	}
	if len(c.Purposes) > 0 {
		x.report.Consent = c
	}
}

// purposeOf is the purpose that a reason names, or "".
func purposeOf(reason string) string {
	rest, ok := strings.CutPrefix(reason, "consent.")
	if !ok {
		return ""
	}
	if name, ok := strings.CutPrefix(rest, "withdrawn."); ok {
		return name
	}
	name, _, ok := strings.Cut(rest, "=")
	if !ok {
		return ""
	}
	return name
}
