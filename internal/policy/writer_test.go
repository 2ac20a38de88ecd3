package policy_test

import (
	"encoding/json"
	"fmt"

	"pgregory.net/rapid"
)

// drawEvent writes an event by hand, with every liberty JSON gives: white space, escapes in names and values, any order, wrong
// types, nulls, and names that nobody declared. Each string and number in it is unique.
func (m *model) drawEvent(t *rapid.T) []byte {
	w := &writer{t: t, m: m}
	w.spaces = rapid.Bool().Draw(t, "spaces")
	w.escapes = rapid.Bool().Draw(t, "escapes")
	w.object([]member{
		{"event_name", func() { w.raw(`"signed_up"`) }},
		{"event_id", w.text},
		{"timestamp", func() { w.raw(`"2026-04-13T09:59:58.120Z"`) }},
		{"subject", func() {
			w.object([]member{{"user_id", w.text}, {"account_id", w.text}, {"anonymous_id", w.any}, {w.stranger(), w.any}})
		}},
		{"consent", func() {
			w.object([]member{{"marketing", func() { w.raw("true") }}, {"analytics", func() { w.raw("true") }}, {"source", w.text}, {"version", func() { w.raw(`"7"`) }}})
		}},
		{"context", func() {
			w.object([]member{{"source", w.text}, {"ip", func() { w.raw(`"203.0.113.77"`) }}, {"user_agent", w.any}, {w.stranger(), w.any}})
		}},
		{"properties", func() { w.properties(m.props) }},
		{w.stranger(), w.any},
	})
	return w.out
}

type member struct {
	name  string
	value func()
}

type writer struct {
	t       *rapid.T
	m       *model
	out     []byte
	depth   int
	spaces  bool
	escapes bool
}

func (w *writer) chance(percent int, what string) bool {
	return rapid.IntRange(1, 100).Draw(w.t, what) <= percent
}

func (w *writer) raw(text string) {
	w.space()
	w.out = append(w.out, text...)
	w.space()
}

func (w *writer) space() {
	if w.spaces && w.chance(20, "space") {
		w.out = append(w.out, rapid.SampledFrom([]string{" ", "\n", "\t ", "\r\n"}).Draw(w.t, "which")...)
	}
}

func (w *writer) quoted(text string) {
	w.space()
	w.out = append(w.out, '"')
	for _, r := range text {
		if w.escapes && r < 0x80 && w.chance(10, "escape") {
			w.out = fmt.Appendf(w.out, `\u%04x`, r)
			continue
		}
		quoted, _ := json.Marshal(string(r))
		w.out = append(w.out, quoted[1:len(quoted)-1]...)
	}
	w.out = append(w.out, '"')
	w.space()
}

// canaryText gives a text that stands nowhere else.
func (w *writer) canaryText() string {
	w.m.canary++
	return fmt.Sprintf("cnry%05dq", w.m.canary)
}

func (w *writer) stranger() string { return "x_" + w.canaryText() }

func (w *writer) text() {
	suffix := rapid.SampledFrom([]string{"", "@example.com", " \"quoted\" \\ line\nend", " ü€😀", " 203.0.113.9"}).Draw(w.t, "suffix")
	w.quoted(w.canaryText() + suffix)
}

func (w *writer) any() {
	w.depth++
	defer func() { w.depth-- }()
	kind := rapid.IntRange(0, 7).Draw(w.t, "kind")
	if w.depth > 4 && kind > 4 {
		kind = 0
	}
	switch kind {
	case 0, 1:
		w.text()
	case 2:
		w.m.canary++
		w.raw(fmt.Sprintf("77%05d.5e2", w.m.canary))
	case 3:
		w.raw(rapid.SampledFrom([]string{"true", "false"}).Draw(w.t, "bool"))
	case 4:
		w.raw("null")
	case 5, 6:
		w.object([]member{{w.stranger(), w.any}, {rapid.SampledFrom([]string{"email", "note", "plan", "items"}).Draw(w.t, "known"), w.any}})
	default:
		w.list(rapid.IntRange(0, 3).Draw(w.t, "length"), w.any)
	}
}

func (w *writer) object(members []member) {
	members = rapid.Permutation(members).Draw(w.t, "order")
	w.raw("{")
	first := true
	for _, m := range members {
		if m.name != "event_name" && m.name != "properties" && w.chance(15, "absent") {
			continue
		}
		if !first {
			w.raw(",")
		}
		first = false
		w.quoted(m.name)
		w.raw(":")
		m.value()
	}
	w.raw("}")
}

func (w *writer) list(n int, value func()) {
	w.raw("[")
	for i := range n {
		if i > 0 {
			w.raw(",")
		}
		value()
	}
	w.raw("]")
}

func (w *writer) properties(list []*prop) {
	var members []member
	for _, p := range list {
		members = append(members, member{p.name, func() { w.declared(p) }})
	}
	w.object(append(members, member{w.stranger(), w.any}, member{w.stranger(), w.any}))
}

func (w *writer) declared(p *prop) {
	if w.chance(15, "wrong type") {
		w.any()
		return
	}
	switch p.typ {
	case "object":
		w.properties(p.inside)
	case "objects":
		w.list(rapid.IntRange(0, 3).Draw(w.t, "length"), func() { w.properties(p.inside) })
	case "array":
		w.list(rapid.IntRange(0, 3).Draw(w.t, "length"), func() { w.scalar(p.items) })
	default:
		w.scalar(p.typ)
	}
}

func (w *writer) scalar(typ string) {
	switch typ {
	case "string":
		w.text()
	case "integer":
		w.m.canary++
		w.raw(fmt.Sprintf("88%05d", w.m.canary))
	case "number":
		w.m.canary++
		w.raw(fmt.Sprintf("88%05d.25", w.m.canary))
	case "timestamp":
		w.raw(`"2026-05-01T12:34:56Z"`)
	case "boolean":
		w.raw(rapid.SampledFrom([]string{"true", "false"}).Draw(w.t, "bool"))
	default:
		w.any()
	}
}
