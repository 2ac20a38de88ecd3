package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// MaxFile is the most bytes a workspace file may have.
const MaxFile = 1 << 20

// Node is one value of a file, which knows where it stands and where to report its problems. The zero Node is no value.
type Node struct {
	y        *yaml.Node
	line     int // of the value's name if it has one: the line people look for
	file     string
	field    string
	problems *Problems
}

// Documents parses a file into the roots of its documents. What is no YAML, too large, or uses anchors is reported and yields
// no document.
func Documents(file string, src []byte, problems *Problems) []Node {
	if len(src) > MaxFile {
		problems.Add(&Problem{File: file, What: "file is larger than 1 MiB", Remedy: "split it"})
		return nil
	}
	var docs []Node
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	for {
		doc := new(yaml.Node)
		err := decoder.Decode(doc)
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			problems.Add(syntaxProblem(file, err))
			return nil
		}
		root := Node{file: file, problems: problems}
		if len(doc.Content) == 0 {
			continue
		}
		root = root.at(doc.Content[0])
		if root.plain(root.y) {
			docs = append(docs, root)
		}
	}
}

var syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

// syntaxProblem keeps the parser's line but not its words when they could quote much of the file.
func syntaxProblem(file string, err error) *Problem {
	p := &Problem{File: file, What: "file is no YAML", Remedy: "correct the syntax"}
	m := syntaxLine.FindStringSubmatch(err.Error())
	if m == nil {
		return p
	}
	_, _ = fmt.Sscanf(m[1], "%d", &p.Line)
	p.What += " (" + strings.ReplaceAll(m[2], "\n", " ") + ")"
	return p
}

// plain reports anchors, aliases, merge keys and custom tags anywhere below y: a reader of a diff must see what a line says.
func (n Node) plain(y *yaml.Node) bool {
	ok := y.Anchor == "" && y.Kind != yaml.AliasNode
	if !ok {
		n.at(y).Bad("anchors and aliases are not allowed", "write the value out")
	} else if y.Style&yaml.TaggedStyle != 0 || y.Tag == "!!merge" {
		ok = false
		n.at(y).Bad("tags and merge keys are not allowed", "write the value out")
	}
	for _, child := range y.Content {
		ok = n.plain(child) && ok
	}
	return ok
}

func (n Node) at(y *yaml.Node) Node {
	n.y, n.line = y, y.Line
	return n
}

// child is the value y below n under a name that stands on a line.
func (n Node) child(name string, line int, y *yaml.Node) Node {
	c := n.at(y)
	c.line = line
	if n.field != "" {
		c.field = n.field + "." + name
	} else {
		c.field = name
	}
	return c
}

// Exists is false for the zero Node.
func (n Node) Exists() bool { return n.y != nil }

// Line is the line, from 1, of the value's name, or of the value where it has none.
func (n Node) Line() int { return n.line }

// File is the file the value stands in.
func (n Node) File() string { return n.file }

// Bad reports a problem with the value.
func (n Node) Bad(what, remedy string) {
	n.problems.Add(&Problem{File: n.file, Line: n.line, Field: n.field, What: what, Remedy: remedy})
}

// IsMap reports whether the value is a mapping.
func (n Node) IsMap() bool { return n.y.Kind == yaml.MappingNode }

// IsScalar reports whether the value is a scalar, null included.
func (n Node) IsScalar() bool { return n.y.Kind == yaml.ScalarNode }

// Member is one entry of a mapping.
type Member struct {
	Key   string
	Value Node
}

// Members returns the entries of a mapping in order; a value that is no mapping, names that are no text and names that repeat
// are reported.
func (n Node) Members() []Member {
	if !n.IsMap() {
		n.Bad("is "+n.kind()+", not a mapping", "write `name: value` pairs")
		return nil
	}
	seen := make(map[string]int, len(n.y.Content)/2)
	members := make([]Member, 0, len(n.y.Content)/2)
	for i := 0; i+1 < len(n.y.Content); i += 2 {
		key, value := n.y.Content[i], n.y.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!null" {
			n.at(key).Bad("a name must be text", "quote it")
			continue
		}
		if first, dup := seen[key.Value]; dup {
			n.child(key.Value, key.Line, key).Bad("duplicate name", fmt.Sprintf("remove one, the first is on line %d", first))
			continue
		}
		seen[key.Value] = key.Line
		members = append(members, Member{key.Value, n.child(key.Value, key.Line, value)})
	}
	return members
}

func (n Node) kind() string {
	switch n.y.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.y.Tag == "!!null" {
		return "empty"
	}
	return "a single value"
}

// LineOr is Line, or that of another value where n does not exist.
func (n Node) LineOr(other Node) int {
	if !n.Exists() {
		return other.line
	}
	return n.line
}

// Peek returns the text of a scalar member without reporting anything.
func (n Node) Peek(name string) (text string, ok bool) {
	if !n.IsMap() {
		return "", false
	}
	for i := 0; i+1 < len(n.y.Content); i += 2 {
		if key, value := n.y.Content[i], n.y.Content[i+1]; key.Value == name && value.Kind == yaml.ScalarNode {
			return value.Value, true
		}
	}
	return "", false
}
