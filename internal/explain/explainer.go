package explain

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// Stages, as records name them.
const (
	stageIngest   = "ingest"
	stageValidate = "validate"
	stageGovern   = "govern"
)

// Explainer explains events by the rules of one workspace. It is not safe for concurrent use.
type Explainer struct {
	ws      *workspace.Workspace
	worker  *policy.Worker
	scanner *event.Scanner
	claims  *consent.Reader
	leaves  map[event.Field]bool
}

// New returns an explainer for policy and contracts; topics are not needed. Nor are keys: what it masks is thrown away.
func New(ws *workspace.Workspace) (*Explainer, error) {
	plan, err := ws.Policy.Bind(ws.Dict, keys.ForTesting("explain"))
	if err != nil {
		return nil, fmt.Errorf("explaining by policy %s: %w", ws.Policy.Version, err)
	}
	claims, err := consent.NewReader(ws.Dict, ws.Policy.Purposes())
	if err != nil {
		return nil, fmt.Errorf("explaining by policy %s: %w", ws.Policy.Version, err)
	}
	e := &Explainer{
		ws: ws, worker: plan.Worker(), scanner: event.NewScanner(ws.Dict, event.DefaultLimits), claims: claims,
		leaves: map[event.Field]bool{},
	}
	for _, path := range ws.Contracts.LeafPaths() {
		e.leaves[ws.Dict.Field(path)] = true
	}
	return e, nil
}

// Options say what to assume.
type Options struct {
	Now time.Time
	// Consent states purposes in place of the event's claim and stands for the subject's current record. Nil asks the claim
	// alone.
	Consent map[string]bool
}

// Event explains an event as a source would send it. The error is about the options; whatever is wrong with the event is
// in the report.
func (e *Explainer) Event(body []byte, opts Options) (*Report, error) {
	for name := range opts.Consent {
		if _, known := e.ws.Policy.Purposes().Bit(name); !known {
			return nil, fmt.Errorf("policy %s knows no purpose %q: it knows %v", e.ws.Policy.Version, name, e.ws.Policy.Purposes().Names())
		}
	}
	r := &Report{Policies: []Policy{e.policy()}, Destinations: []Destination{}}
	ix, agreed := e.admit(r, body, opts.Now)
	if ix != nil {
		e.judge(r, ix, agreed, opts)
	}
	if r.Quarantined() {
		for _, d := range e.ws.Policy.Destinations {
			r.Destinations = append(r.Destinations, Destination{
				Destination: d.Name, Verdict: Quarantined, Stage: r.Faults[0].Stage, Reason: r.Faults[0].Code, Policy: e.ws.Policy.Version,
			})
		}
	}
	return r, nil
}

func (e *Explainer) policy() Policy { return Policy{e.ws.Policy.Version, e.ws.Hash()} }

func (e *Explainer) scan(body []byte) (*event.Index, error) {
	ix := new(event.Index)
	return ix, e.scanner.Scan(body, ix)
}

// admit does what ingest and validate do before consent. A nil index means that the event is quarantined.
func (e *Explainer) admit(r *Report, body []byte, now time.Time) (*event.Index, *contract.Contract) {
	ix, err := e.scan(body)
	if err != nil {
		e.quarantine(r, stageIngest, err)
		return nil, nil
	}
	if fault := event.CheckEnvelope(ix, now, event.DefaultTimeLimits); fault != nil {
		e.quarantine(r, stageIngest, fault)
		return nil, nil
	}
	if ix, err = e.complete(r, ix, now); err != nil {
		e.quarantine(r, stageIngest, err)
		return nil, nil
	}
	id, _ := ix.Get(event.EventID)
	r.EventID = id.String()
	return e.validate(r, ix)
}

// complete adds what ingest adds.
func (e *Explainer) complete(r *Report, ix *event.Index, now time.Time) (*event.Index, error) {
	_, hasID := ix.Get(event.EventID)
	_, hasReceived := ix.Get(event.ReceivedAt)
	if hasID && hasReceived {
		return ix, nil
	}
	if !hasID {
		r.note("event_id is not in the event: ingest derives it, here from the body")
	}
	if !hasReceived {
		r.note("received_at is not in the event: ingest adds it")
	}
	source, _ := ix.Get(event.ContextSource)
	return e.scan(event.AppendComplete(nil, ix, event.DeriveIDFromBody(source.String(), ix), now))
}

// validate holds the event to its contract and removes what that does not declare.
func (e *Explainer) validate(r *Report, ix *event.Index) (*event.Index, *contract.Contract) {
	agreed, fault := e.ws.Contracts.For(ix)
	if fault != nil {
		e.quarantine(r, stageValidate, fault)
		return nil, nil
	}
	r.EventName, r.Contract = agreed.Event, contractOf(agreed)
	var res contract.Result
	agreed.Check(ix, &res)
	if len(res.Faults) > 0 {
		r.Faults = e.faults(ix, agreed, &res)
		return nil, nil
	}
	if len(res.Remove) == 0 {
		return ix, agreed
	}
	r.Removed = e.removed(ix, res.Remove, agreed)
	rest, err := e.scan(contract.AppendWithout(nil, ix, res.Remove))
	if err != nil {
		e.quarantine(r, stageValidate, err)
		return nil, nil
	}
	return rest, agreed
}

// faults words what breaks the contract. Check calls undeclared properties `?`; those with plain names are called by them.
func (e *Explainer) faults(ix *event.Index, agreed *contract.Contract, found *contract.Result) (list []Fault) {
	lenient := *agreed
	lenient.Quarantine = false
	var res contract.Result
	lenient.Check(ix, &res)
	c, names := e.collect(ix), []string(nil)
	for _, at := range res.Remove {
		if path := c.path(at); strings.HasPrefix(path, "properties.") {
			names = append(names, path)
		}
	}
	for i := range found.Faults {
		f := faultOf(stageValidate, &found.Faults[i], agreed)
		if f.Code == contract.CodeUndeclared && len(names) > 0 {
			f.Path, names = names[0], names[1:]
		}
		list = append(list, f)
	}
	return list
}

func (e *Explainer) removed(ix *event.Index, positions []uint32, agreed *contract.Contract) []Field {
	c := e.collect(ix)
	for _, at := range positions {
		c.each(at, func(path string) {
			c.add(Field{Path: path, Decision: Remove, Rule: where(agreed.File, agreed.Line), Reason: "its contract does not declare it"})
		})
	}
	return c.fields
}

func (e *Explainer) quarantine(r *Report, stage string, err error) {
	fault, ok := event.AsFault(err)
	if !ok {
		fault = event.Fault{Code: "stage_failed"}
	}
	r.Faults = append(r.Faults, faultOf(stage, &fault, nil))
}

func (r *Report) note(text string) { r.Notes = append(r.Notes, text) }

// judge does what consent and redact do.
func (e *Explainer) judge(r *Report, ix *event.Index, agreed *contract.Contract, opts Options) {
	claim, fault := e.ws.Policy.Claim(e.claims, ix)
	if fault != nil {
		e.quarantine(r, stageValidate, fault)
		return
	}
	v := e.verdict(claim, opts)
	r.Consent = e.consentOf(v, opts)
	if claim.LookupOnly && opts.Consent == nil {
		r.note("the policy looks this source up: its events carry no consent, only a consent record can allow a purpose; state one with --consent")
	}
	if gate := e.ws.Policy.Storage(agreed.Class, v); !gate.Allowed {
		for _, d := range e.ws.Policy.Destinations {
			r.Destinations = append(r.Destinations, e.denied(d.Name, stageValidate, gate))
		}
		r.note("events of class " + agreed.Class.Name + " are not even stored without that consent")
		return
	}
	if claim.LookupOnly {
		var err error
		if ix, err = e.scan(consent.AppendStamped(nil, ix, v)); err != nil {
			e.quarantine(r, stageValidate, err)
			return
		}
	}
	for i, d := range e.ws.Policy.Destinations {
		out := e.denied(d.Name, stageGovern, e.worker.Decide(i, ix, v))
		if out.Verdict == Allowed {
			out.Fields = e.fields(i, ix, v)
		}
		r.Destinations = append(r.Destinations, out)
	}
}

// denied words a gate, whichever way it fell.
func (e *Explainer) denied(destination, stage string, gate policy.Gate) Destination {
	d := Destination{Destination: destination, Verdict: Denied, Stage: stage, Reason: gate.Reason, Rule: gate.Rule, Policy: e.ws.Policy.Version}
	if gate.Allowed {
		d.Verdict = Allowed
	}
	return d
}

func (e *Explainer) fields(i int, ix *event.Index, v *consent.Verdict) []Field {
	decisions, err := e.worker.Explain(i, ix, v)
	if err != nil {
		return nil // Decide allowed it: Project fails for nothing else
	}
	c := e.collect(ix)
	for k := range decisions {
		c.decision(&decisions[k])
	}
	return c.fields
}

// verdict joins the claim with what the options state, as the consent processor joins it with the subject's record.
func (e *Explainer) verdict(claim consent.Claim, opts Options) *consent.Verdict {
	purposes := e.ws.Policy.Purposes()
	var states []consent.State
	if opts.Consent != nil {
		for name, given := range opts.Consent {
			bit, _ := purposes.Bit(name)
			claim.Stated |= bit
			claim.Given &^= bit
			if given {
				claim.Given |= bit
				claim.Present = true
			}
		}
		states = []consent.State{{Consent: &consent.Record{Purposes: maps.Clone(opts.Consent), Source: "--consent"}}}
	}
	v := consent.Judge(purposes, claim, states, opts.Now)
	return &v
}

func (e *Explainer) consentOf(v *consent.Verdict, opts Options) *Consent {
	c := &Consent{Basis: BasisClaim}
	if opts.Consent != nil {
		c.Basis = BasisGiven
	}
	for _, name := range v.Purposes.Names() {
		bit, _ := v.Purposes.Bit(name)
		c.Purposes = append(c.Purposes, Purpose{Purpose: name, Holds: v.Holds(bit), Reason: v.Reason(bit)})
	}
	return c
}
