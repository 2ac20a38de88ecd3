package strict

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Object is a mapping with a fixed set of names.
type Object struct {
	Node
	members map[string]Member
	order   []string
}

// Object reads a mapping; names that are not known are reported, with the nearest known one.
func (n Node) Object(known ...string) Object {
	o := Object{Node: n, members: map[string]Member{}}
	for _, m := range n.Members() {
		if !slices.Contains(known, m.Key) {
			m.Value.Bad("unknown name", Suggest(m.Key, known))
			continue
		}
		o.members[m.Key] = m
		o.order = append(o.order, m.Key)
	}
	return o
}

// Get returns the value of a name; the zero Node when it is absent.
func (o Object) Get(name string) Node { return o.members[name].Value }

// Require is Get that reports an absent name; a value that is no mapping at all has been reported already.
func (o Object) Require(name, remedy string) Node {
	n := o.Get(name)
	if !n.Exists() && o.IsMap() {
		o.child(name, o.line, o.y).Bad("is missing", remedy)
	}
	return n
}

// Text is the text of a scalar as it is written, "" and a problem otherwise. A Node that does not exist is "" without a problem,
// here and in the other readers, because Require has spoken already.
func (n Node) Text() string {
	if !n.Exists() {
		return ""
	}
	if !n.IsScalar() || n.y.Tag == "!!null" || n.y.Value == "" {
		n.Bad("is "+n.kind()+", not text", "write one word or a quoted text")
		return ""
	}
	return n.y.Value
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// IsName reports whether text is a name as events, purposes, classes and destinations have: lower case, digits and underscores,
// at most 64 characters. Such names are safe in topics, SQL identifiers and metrics alike.
func IsName(text string) bool { return nameForm.MatchString(text) }

// NameRemedy tells how such a name must look.
const NameRemedy = "use a-z, 0-9 and _, beginning with a letter, at most 64 characters"

// Name is Text that must be a name.
func (n Node) Name() string {
	text := n.Text()
	if text != "" && !IsName(text) {
		n.Bad(Quote(text)+" is not a valid name", NameRemedy)
		return ""
	}
	return text
}

// OneOf is Text that must be one of the choices.
func (n Node) OneOf(choices ...string) string {
	text := n.Text()
	if text != "" && !slices.Contains(choices, text) {
		n.Bad(Quote(text)+" is not possible here", Suggest(text, choices))
		return ""
	}
	return text
}

// Bool is true or false.
func (n Node) Bool() bool {
	if !n.Exists() {
		return false
	}
	if !n.IsScalar() || n.y.Tag != "!!bool" || (n.y.Value != "true" && n.y.Value != "false") {
		n.Bad("is not true or false", "write true or false")
		return false
	}
	return n.y.Value == "true"
}

// Int is a whole decimal number from low to high; a quoted one is text.
func (n Node) Int(low, high int) int {
	if !n.Exists() {
		return 0
	}
	v, err := strconv.Atoi(n.y.Value)
	if !n.IsScalar() || n.y.Tag != "!!int" || err != nil || v < low || v > high {
		n.Bad("is not a whole number in range", fmt.Sprintf("write a number from %d to %d", low, high))
		return 0
	}
	return v
}

// List returns the elements of a list.
func (n Node) List() []Node {
	if !n.Exists() {
		return nil
	}
	if n.y.Kind != yaml.SequenceNode {
		n.Bad("is "+n.kind()+", not a list", "write [a, b]")
		return nil
	}
	nodes := make([]Node, 0, len(n.y.Content))
	for i, y := range n.y.Content {
		element := n.at(y)
		element.field = n.field + "[" + strconv.Itoa(i) + "]"
		nodes = append(nodes, element)
	}
	return nodes
}

// Texts is a list of different texts, each of which passes read (Node.Text, Node.Name).
func (n Node) Texts(read func(Node) string) []string {
	var texts []string
	for _, element := range n.List() {
		text := read(element)
		if slices.Contains(texts, text) && text != "" {
			element.Bad(Quote(text)+" is listed twice", "remove one")
		} else if text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

var durationForm = regexp.MustCompile(`^([1-9][0-9]{0,4})(h|d)$`)

// Retention is how long to keep something: hours (12h), days (400d) or forever, which is 0.
func (n Node) Retention() time.Duration {
	text := n.Text()
	m := durationForm.FindStringSubmatch(text)
	switch {
	case text == "" || text == "forever":
		return 0
	case m == nil:
		n.Bad(Quote(text)+" is no retention", "write hours, days or forever: 12h, 400d, forever")
		return 0
	}
	count, _ := strconv.Atoi(m[1])
	unit := time.Hour
	if m[2] == "d" {
		unit = 24 * time.Hour
	}
	return time.Duration(count) * unit
}

// Any decodes the value into nil, bool, int, float64, string, []any and map[string]any. Duplicate names are reported.
func (n Node) Any() any {
	switch n.y.Kind {
	case yaml.MappingNode:
		values := map[string]any{}
		for _, m := range n.Members() {
			values[m.Key] = m.Value.Any()
		}
		return values
	case yaml.SequenceNode:
		values := []any{}
		for _, element := range n.List() {
			values = append(values, element.Any())
		}
		return values
	}
	var v any
	if err := n.y.Decode(&v); err != nil {
		n.Bad("is not readable", "write a plain value")
		return nil
	}
	return v
}

// Source is the value on one line, as a reader of the file would write it in flow style.
func (n Node) Source() string {
	switch n.y.Kind {
	case yaml.MappingNode:
		var parts []string
		for i := 0; i+1 < len(n.y.Content); i += 2 {
			parts = append(parts, n.y.Content[i].Value+": "+n.at(n.y.Content[i+1]).Source())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		var parts []string
		for _, y := range n.y.Content {
			parts = append(parts, n.at(y).Source())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return n.y.Value
}

// All visits the known names that are present, in the order of the file.
func (o Object) All() iter.Seq2[string, Node] {
	return func(yield func(string, Node) bool) {
		for _, key := range o.order {
			if !yield(key, o.members[key].Value) {
				return
			}
		}
	}
}
