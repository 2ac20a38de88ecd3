package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing/fstest"

	"pgregory.net/rapid"
)

// The model is a random workspace that the tests know by themselves: nothing of it is read back from the packages under test.

type prop struct {
	name, path, typ, items, class string
	allowed                       []string
	inside                        []*prop
}

type rule struct {
	op, text, requires string // op: keep, drop or the name of a transform
}

type model struct {
	props  []*prop
	rules  map[string]rule // at destination "out"
	leaves []*prop
	canary int
}

const modelPurpose, modelOther = "analytics", "marketing"

var modelNames = []string{"plan", "email", "note", "items", "meta", "country", "amount", "flag", "when", "tags", "user-ref", "Ünused"}

func drawModel(t *rapid.T) *model {
	m := &model{rules: map[string]rule{}}
	m.props = m.drawProps(t, "properties", 0)
	for _, leaf := range m.leaves {
		if r, ok := drawRule(t, leaf); ok {
			m.rules[leaf.path] = r
		}
	}
	for _, path := range []string{"event_name", "timestamp", "context.source", "context.user_agent", "subject.account_id", "consent.source", "consent.version", "consent.marketing"} {
		if rapid.Bool().Draw(t, path) {
			m.rules[path] = rule{op: "keep", text: "keep"}
		}
	}
	if rapid.Bool().Draw(t, "user") {
		m.rules["subject.user_id"] = rule{op: "tokenize", text: "tokenize"}
	}
	if rapid.Bool().Draw(t, "ip") {
		m.rules["context.ip"] = rule{op: "truncate_ip", text: "{truncate_ip: {v4: 24, v6: 48}}"}
	}
	m.rules["event_id"] = rule{op: "keep", text: "keep"}
	return m
}

func (m *model) drawProps(t *rapid.T, parent string, depth int) []*prop {
	var list []*prop
	for _, name := range modelNames[:len(modelNames)-1] {
		if !rapid.Bool().Draw(t, "has "+name) {
			continue
		}
		types := []string{"string", "integer", "number", "boolean", "timestamp", "json", "array"}
		if depth < 2 {
			types = append(types, "object", "objects")
		}
		p := &prop{name: name, path: parent + "." + name, typ: rapid.SampledFrom(types).Draw(t, "type")}
		switch p.typ {
		case "object":
			p.inside = m.drawProps(t, p.path, depth+1)
		case "objects":
			p.inside = m.drawProps(t, p.path+"[]", depth+1)
		default:
			leaf := &prop{name: name, path: p.path, typ: p.typ}
			if p.typ == "array" {
				p.items = rapid.SampledFrom([]string{"string", "integer", "boolean"}).Draw(t, "items")
				leaf.path, leaf.typ = p.path+"[]", p.items
			}
			p.class = rapid.SampledFrom([]string{"none", "quasi", "sensitive", "direct"}).Draw(t, "class")
			if rapid.Bool().Draw(t, "limited") {
				p.allowed = []string{rapid.SampledFrom([]string{modelPurpose, modelOther}).Draw(t, "allowed")}
			}
			leaf.class, leaf.allowed = p.class, p.allowed
			m.leaves = append(m.leaves, leaf)
		}
		list = append(list, p)
	}
	return list
}

// drawRule draws a rule that the compiler must accept.
func drawRule(t *rapid.T, p *prop) (rule, bool) {
	asIs := func(purpose string) bool {
		if len(p.allowed) == 0 {
			return p.class == "none" || p.class == "quasi"
		}
		return slices.Contains(p.allowed, purpose)
	}
	choices := []rule{{}, {op: "drop", text: "drop"}}
	if asIs(modelPurpose) {
		choices = append(choices, rule{op: "keep", text: "keep"}, rule{op: "keep", text: "keep"})
	}
	if asIs(modelPurpose) || asIs(modelOther) {
		choices = append(choices, rule{op: "keep", text: "{keep: true, requires: marketing}", requires: modelOther})
	}
	switch p.typ {
	case "string":
		choices = append(choices, rule{op: "tokenize", text: "tokenize"}, rule{op: "mask", text: "{mask: email}"},
			rule{op: "tokenize", text: "{tokenize: true, requires: marketing}", requires: modelOther})
		if p.class != "direct" {
			choices = append(choices, rule{op: "scrub", text: "scrub"})
		}
	case "integer", "number":
		choices = append(choices, rule{op: "bucket", text: "{bucket: [10, 50, 100]}"})
	case "timestamp":
		choices = append(choices, rule{op: "truncate_time", text: "{truncate_time: day}"})
	}
	r := rapid.SampledFrom(choices).Draw(t, "rule")
	return r, r.op != ""
}

func (m *model) files() fstest.MapFS {
	var contract strings.Builder
	contract.WriteString("event: signed_up\nversion: 1.0.0\nowner: data\nclass: product\nproperties:\n")
	writeProps(&contract, m.props, "  ")
	if len(m.props) == 0 {
		contract.WriteString("  {}\n")
	}
	var policy strings.Builder
	policy.WriteString("version: \"1\"\ndestinations:\n  out:\n    purpose: analytics\n    fields:\n")
	paths := make([]string, 0, len(m.rules))
	for path := range m.rules {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		fmt.Fprintf(&policy, "      %q: %s\n", path, m.rules[path].text)
	}
	policy.WriteString("  other:\n    purpose: marketing\n    fields: {event_id: keep}\n")
	return fstest.MapFS{
		"contracts/classes.yaml":   {Data: []byte("classes: {product: {retention: 400d, storage: analytics}}\n")},
		"contracts/signed_up.yaml": {Data: []byte(contract.String())},
		"policy.yaml":              {Data: []byte(policy.String())},
	}
}

func writeProps(b *strings.Builder, list []*prop, indent string) {
	for _, p := range list {
		switch p.typ {
		case "object":
			fmt.Fprintf(b, "%s%s:\n%s  type: object\n%s  properties:\n", indent, p.name, indent, indent)
			writeInside(b, p.inside, indent+"    ")
		case "objects":
			fmt.Fprintf(b, "%s%s:\n%s  type: array\n%s  items:\n%s    type: object\n%s    properties:\n", indent, p.name, indent, indent, indent, indent)
			writeInside(b, p.inside, indent+"      ")
		default:
			fmt.Fprintf(b, "%s%s: {type: %s, classification: %s", indent, p.name, p.typ, p.class)
			if p.items != "" {
				fmt.Fprintf(b, ", items: %s", p.items)
			}
			if len(p.allowed) > 0 {
				fmt.Fprintf(b, ", allowed_for: [%s]", strings.Join(p.allowed, ", "))
			}
			b.WriteString("}\n")
		}
	}
}

func writeInside(b *strings.Builder, list []*prop, indent string) {
	if len(list) == 0 {
		b.WriteString(indent + "{}\n")
		return
	}
	writeProps(b, list, indent)
}
