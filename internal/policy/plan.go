package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/mask"
)

// Plan is a policy ready to run: one dense table per destination, indexed by field. It is immutable and safe for concurrent use;
// each goroutine projects with a Worker of its own.
type Plan struct {
	policy       *Policy
	dict         *event.Dictionary
	destinations []*target
}

// target is a destination, compiled.
type target struct {
	*Destination
	need         consent.Mask
	events       map[string]bool
	actions      []action // by event.Field
	names        []byte   // `,"name":` of every field that may go, end to end
	consent      []consentField
	requirements []requirement // by purpose, then path

	whereSelf, wherePurpose, whereUnless, whereEvents string
}

// maxRequirements is how many bits a worker has for them.
const maxRequirements = 256

// step is what the walk does at a field.
type step uint8

const (
	skip    step = iota // no rule names the field: the zero action
	drop                // a rule names it and drops it
	keep                // copy the value
	mend                // transform the value
	object              // something inside may go
	array               // some element, or something inside one, may go
	subject             // the event's consent object, which is written from the verdict
)

type action struct {
	step        step
	kinds       uint8        // bit per event.Kind that may go or be descended into
	requirement int16        // in target.requirements, or -1
	need        consent.Mask // further purposes that must hold
	name        uint32       // span in target.names
	nameEnd     uint32
	rule        *Rule
	transform   mask.Transform
}

// consentField is a value of the consent object that the policy keeps.
type consentField struct {
	field event.Field
	bit   consent.Mask // of a purpose; 0 for source, version and checked_at
	name  []byte       // `,"name":`
}

// requirement is a field that goes only because another purpose than the destination's holds.
type requirement struct {
	purpose string
	path    string
}

// Bind compiles the policy for events scanned with dict, which must know every path of its rules, taking the keys of tokens from
// the ring.
func (p *Policy) Bind(dict *event.Dictionary, ring *keys.Ring) (*Plan, error) {
	plan := &Plan{policy: p, dict: dict}
	for _, d := range p.Destinations {
		t, err := p.target(d, dict, ring)
		if err != nil {
			return nil, fmt.Errorf("binding destination %s: %w", d.Name, err)
		}
		plan.destinations = append(plan.destinations, t)
	}
	return plan, nil
}

// Policy is the policy the plan was made of.
func (p *Plan) Policy() *Policy { return p.policy }

// Worker returns a new worker. It holds scratch space only.
func (p *Plan) Worker() *Worker { return &Worker{plan: p} }

func (p *Policy) target(d *Destination, dict *event.Dictionary, ring *keys.Ring) (*target, error) {
	need, known := p.purposes.Bit(d.Purpose)
	if !known {
		return nil, fmt.Errorf("purpose %s is not known", d.Purpose)
	}
	t := &target{
		Destination:  d,
		need:         need,
		events:       p.events,
		actions:      make([]action, dict.Len()),
		whereSelf:    where(d.File, d.Line),
		wherePurpose: d.PurposeRule(),
		whereUnless:  d.UnlessRule(),
		whereEvents:  where(d.File, d.eventsLine),
	}
	if len(d.Events) > 0 {
		t.events = map[string]bool{}
		for _, name := range d.Events {
			t.events[name] = true
		}
	}
	if t.require(); len(t.requirements) > maxRequirements {
		return nil, fmt.Errorf("%d fields require another purpose, %d are possible", len(t.requirements), maxRequirements)
	}
	for _, r := range d.Rules {
		if err := t.add(p, r, dict, ring); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// require numbers the rules that need another purpose, in the order their header lists them.
func (t *target) require() {
	for _, r := range t.Rules {
		if r.Requires != "" && r.Op != Drop {
			t.requirements = append(t.requirements, requirement{r.Requires, r.Path})
		}
	}
	slices.SortFunc(t.requirements, func(a, b requirement) int {
		if a.purpose != b.purpose {
			return strings.Compare(a.purpose, b.purpose)
		}
		return strings.Compare(a.path, b.path)
	})
}

func (t *target) add(p *Policy, r *Rule, dict *event.Dictionary, ring *keys.Ring) error {
	f := dict.Field(r.Path)
	if f == event.NoField {
		return fmt.Errorf("%s: the dictionary does not know %s", r.Where(), r.Path)
	}
	a := action{rule: r, requirement: -1, kinds: r.kinds}
	if r.Op != Drop {
		t.open(r.Path, dict)
	}
	if r.Requires != "" && r.Op != Drop {
		bit, known := p.purposes.Bit(r.Requires)
		if !known {
			return fmt.Errorf("%s: purpose %s is not known", r.Where(), r.Requires)
		}
		a.need = bit
		a.requirement = int16(slices.Index(t.requirements, requirement{r.Requires, r.Path}))
	}
	switch r.Op {
	case Drop:
		a.step = drop
	case Keep:
		a.step = keep
	case Transform:
		a.step = mend
		transform, err := bindTransform(r, t.Name, ring)
		if err != nil {
			return err
		}
		a.transform = transform
	}
	t.setName(&a, r.Path)
	t.actions[f] = a
	if purpose, ok := strings.CutPrefix(r.Path, consentPrefix); ok && r.Op != Drop {
		t.consent = append(t.consent, t.consentField(p, f, purpose, a))
	}
	return nil
}

func (t *target) consentField(p *Policy, f event.Field, purpose string, a action) consentField {
	field := consentField{field: f, name: slices.Clone(t.names[a.name:a.nameEnd])}
	if f != event.ConsentSource && f != event.ConsentCheckedAt && f != event.ConsentVersion {
		field.bit, _ = p.purposes.Bit(purpose)
	}
	return field
}

// bindTransform makes the transform of a rule, with the key of this destination and field where it needs one.
func bindTransform(r *Rule, destination string, ring *keys.Ring) (mask.Transform, error) {
	transform, err := mask.Parse(r.Transform, r.argument)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Where(), err)
	}
	keyed, ok := transform.(mask.Keyed)
	if !ok {
		return transform, nil
	}
	if ring == nil {
		return nil, fmt.Errorf("%s: %s needs keys, make them with `ebbgate keys init`", r.Where(), r.Transform)
	}
	key, id := ring.Token(destination, r.Path)
	return keyed.Bind(key, id), nil
}

// open lets the walk descend to a path: every object and array above it.
func (t *target) open(path string, dict *event.Dictionary) {
	for {
		s := object
		if strings.HasSuffix(path, "[]") {
			path, s = strings.TrimSuffix(path, "[]"), array
		} else if dot := strings.LastIndexByte(path, '.'); dot >= 0 {
			path = path[:dot]
		} else {
			return
		}
		a := &t.actions[dict.Field(path)]
		if a.step != skip {
			return
		}
		*a = action{step: s, kinds: kindBit(event.Object), requirement: -1}
		if s == array {
			a.kinds = kindBit(event.Array)
		}
		if path == "consent" {
			a.step = subject
		}
		t.setName(a, path)
	}
}

// setName prepares the member's name; elements of arrays have none.
func (t *target) setName(a *action, path string) {
	a.name = uint32(len(t.names))
	t.names = append(t.names, ',')
	if !strings.HasSuffix(path, "[]") {
		t.names = event.AppendString(t.names, []byte(path[strings.LastIndexByte(path, '.')+1:]))
		t.names = append(t.names, ':')
	}
	a.nameEnd = uint32(len(t.names))
}

func kindBit(k event.Kind) uint8 { return 1 << k }

// kindsOf are the JSON kinds that values of a declared type have; null stands for an absent value of any type.
func kindsOf(t contract.Type) uint8 {
	null := kindBit(event.Null)
	switch t {
	case contract.String, contract.Timestamp:
		return null | kindBit(event.String)
	case contract.Integer, contract.Number:
		return null | kindBit(event.Number)
	case contract.Boolean:
		return null | kindBit(event.True) | kindBit(event.False)
	case contract.JSON:
		return 0x7f
	}
	return 0
}
