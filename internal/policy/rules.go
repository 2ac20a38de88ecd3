package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/contract/strict"
	"github.com/ebbgate/ebbgate/internal/mask"
)

// identity is the field that every destination keeps: it names the row there, for deduplication and for erasure.
const identity = "event_id"

const consentPrefix = "consent."

func (c *compiler) rules(fields strict.Node, d *Destination) {
	named := false
	for _, m := range fields.Members() {
		r := c.rule(m, d)
		if r == nil {
			continue
		}
		d.Rules = append(d.Rules, r)
		named = named || r.Path == identity && r.Op == Keep && r.Requires == ""
	}
	if !named {
		fields.Bad(identity+" is not kept", "add `event_id: keep`, it is the identity of a row at every destination")
	}
}

// rule reads one line and proves it against the contracts.
func (c *compiler) rule(m strict.Member, d *Destination) *Rule {
	r := &Rule{Path: m.Key, Text: m.Value.Source(), File: c.policy.File, Line: m.Value.Line()}
	var transform mask.Transform
	if m.Value.IsScalar() {
		transform = c.operation(m.Value, r, m.Value.Text(), nil)
	} else {
		transform = c.mapping(m.Value, r)
	}
	if r.Op == Transform && transform == nil {
		return nil // reported where it was read
	}
	var declared []*contract.Property
	if !c.alone {
		declared = c.governed(m.Value, r, d)
	}
	for _, p := range declared {
		r.kinds |= kindsOf(p.LeafType())
		if !c.fits(m.Value, r, transform, p) || !c.guarded(m.Value, r, p, d) {
			break
		}
	}
	c.requires(m.Value, r, d)
	return r
}

// operation settles what a rule does; argument is nil for a bare word.
func (c *compiler) operation(n strict.Node, r *Rule, name string, argument any) mask.Transform {
	switch name {
	case "":
		return nil
	case "keep", "drop":
		if name == "keep" {
			r.Op = Keep
		}
		if argument != nil && argument != true {
			n.Bad(name+" takes true and nothing else", "write "+name+", or "+name+": true")
		}
		return nil
	}
	r.Op = Transform
	if !slices.Contains(mask.Names(), name) {
		n.Bad(strict.Quote(name)+" is no operation", strict.Suggest(name, append([]string{"keep", "drop"}, mask.Names()...)))
		return nil
	}
	if argument == true {
		argument = nil // `{tokenize: true, requires: ..}` is the long form of the bare word
	}
	transform, err := mask.Parse(name, argument)
	if err != nil {
		n.Bad(err.Error(), "see the transforms in the guide")
		return nil
	}
	r.Transform, r.argument = name, argument
	return transform
}

// mapping reads `{ keep: true, requires: marketing }` and `{ truncate_ip: { v4: 24 } }`.
func (c *compiler) mapping(n strict.Node, r *Rule) mask.Transform {
	var transform mask.Transform
	operations := 0
	for _, m := range n.Members() {
		if m.Key == "requires" {
			r.Requires = m.Value.Name()
			continue
		}
		if operations++; operations > 1 {
			m.Value.Bad("a field has one operation", "remove all but one")
			continue
		}
		transform = c.operation(m.Value, r, m.Key, m.Value.Any())
	}
	if operations == 0 && n.IsMap() {
		r.Requires = ""
		n.Bad("has no operation", "say keep, drop or a transform: { keep: true, requires: marketing }")
	}
	return transform
}

// governed returns the declarations of the rule's path among the events the destination may have.
func (c *compiler) governed(n strict.Node, r *Rule, d *Destination) []*contract.Property {
	if name, ok := strings.CutPrefix(r.Path, consentPrefix); ok && c.purposes[name] {
		if r.Op == Transform {
			n.Bad("a purpose is true or false and is not transformed", "keep it or drop it")
		}
		r.kinds = kindsOf(contract.Boolean)
		return nil
	}
	declared := c.contracts.Leaf(r.Path)
	if len(declared) == 0 {
		c.unknownPath(n, r.Path)
		return nil
	}
	if len(d.Events) == 0 || declared[0].Event == "" {
		return declared
	}
	declared = slices.DeleteFunc(declared, func(p *contract.Property) bool { return !slices.Contains(d.Events, p.Event) })
	if len(declared) == 0 {
		n.Bad("no event of this destination has the field", "remove the line, or add the event to events")
	}
	return declared
}

func (c *compiler) unknownPath(n strict.Node, path string) {
	switch {
	case len(c.contracts.Leaf(path+"[]")) > 0:
		n.Bad("is an array", "name its elements: "+path+"[]")
	case c.contracts.Container(path):
		n.Bad("is an object or array, not a value", "name each value inside that may go")
	case strings.HasPrefix(path, consentPrefix):
		known := []string{consentPrefix + "source", consentPrefix + "checked_at", consentPrefix + "version"}
		for _, name := range c.knownPurposes() {
			known = append(known, consentPrefix+name)
		}
		n.Bad("no destination has this purpose", strict.Suggest(path, known))
	default:
		n.Bad("no contract declares the path", strict.Suggest(path, c.contracts.LeafPaths()))
	}
}

// fits reports a transform that cannot read what a contract declares.
func (c *compiler) fits(n strict.Node, r *Rule, transform mask.Transform, p *contract.Property) bool {
	if r.Op != Transform || transform.Kinds().Has(p.LeafType().String()) {
		return true
	}
	n.Bad(r.Transform+" cannot read "+p.LeafType().String()+" ("+place(p)+")", "use a transform that fits the type, keep or drop")
	return false
}

// guarded reports a value that would go as it is although no purpose that holds then allows that.
func (c *compiler) guarded(n strict.Node, r *Rule, p *contract.Property, d *Destination) bool {
	if r.Op == Drop || (r.Op == Transform && !revealing(r, p.Classification)) {
		return true
	}
	if p.Allows(d.Purpose) || (r.Requires != "" && p.Allows(r.Requires)) {
		return true
	}
	what := "is " + p.Classification.String() + " and not allowed for " + d.Purpose + " as it is (" + place(p) + ")"
	n.Bad(what, "transform or drop it, or have its owner add the purpose to allowed_for")
	return false
}

// revealing reports whether a transform can leave such a value readable: cut text may still be all of it, and scrubbing knows
// addresses and numbers but no names.
func revealing(r *Rule, class contract.Classification) bool {
	switch r.Transform {
	case "truncate":
		return true
	case "scrub":
		return class == contract.Direct
	}
	return false
}

func (c *compiler) requires(n strict.Node, r *Rule, d *Destination) {
	switch {
	case r.Requires == "":
	case r.Requires == d.Purpose:
		n.Bad("requires "+r.Requires+", which the destination requires already", "remove requires")
	case !c.alone && !c.purposes[r.Requires]:
		n.Bad("requires "+strict.Quote(r.Requires)+", which no destination or class has as its purpose",
			strict.Suggest(r.Requires, c.knownPurposes()))
	case r.Op == Drop:
		n.Bad("a dropped field requires nothing", "remove requires, or keep the field")
	}
}

func (c *compiler) knownPurposes() []string { return slices.Sorted(maps.Keys(c.purposes)) }

func place(p *contract.Property) string {
	if p.Event == "" {
		return "an envelope field"
	}
	return where(p.File, p.Line)
}
