package contract

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

// propertyForm keeps names apart from path syntax and from look-alikes in other scripts.
var propertyForm = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$-]{0,63}$`)

func (l *loader) readProperties(n strict.Node, parent string, depth int) []*Property {
	if depth > maxNesting {
		n.Bad("properties are nested too deeply", "flatten them, or declare the outer one as type: json")
		return nil
	}
	var list []*Property
	folded := map[string]string{}
	for _, m := range n.Members() {
		if !propertyForm.MatchString(m.Key) {
			m.Value.Bad("is no valid property name", "use letters, digits, _ and -, at most 64")
			continue
		}
		if other, near := folded[strict.Fold(m.Key)]; near {
			m.Value.Bad("differs from "+strict.Quote(other)+" only in case", "keep one of them")
			continue
		}
		folded[strict.Fold(m.Key)] = m.Key
		list = append(list, l.readProperty(m, parent+"."+m.Key, depth))
	}
	return list
}

func (l *loader) readProperty(m strict.Member, path string, depth int) *Property {
	o := m.Value.Object("type", "required", "classification", "description", "enum", "max_length", "allowed_for", "from", "properties", "items")
	p := &Property{
		Event:       l.event,
		Name:        m.Key,
		Path:        path,
		Required:    o.Get("required").Bool(),
		Description: o.Get("description").Text(),
		ServerOnly:  o.Get("from").OneOf("server") == "server",
		File:        m.Value.File(),
		Line:        m.Value.Line(),
	}
	p.Type, _ = parseType(o.Require("type", "say type: string, or another type").OneOf(typeNames[1:]...))
	l.readShape(o, p, depth)
	if p.Type != 0 && p.Leaf() {
		l.readLeaf(o, p)
	} else if p.Type != 0 {
		for _, name := range []string{"classification", "enum", "max_length", "allowed_for"} {
			if n := o.Get(name); n.Exists() {
				n.Bad("belongs to values, not to objects", "declare it on the properties inside")
			}
		}
	}
	return p
}

// readShape reads what is inside objects and arrays.
func (l *loader) readShape(o strict.Object, p *Property, depth int) {
	inner, items := o.Get("properties"), o.Get("items")
	if inner.Exists() && p.Type != Object {
		inner.Bad("only type: object has properties", "remove them or change the type")
	}
	if items.Exists() && p.Type != Array {
		items.Bad("only type: array has items", "remove them or change the type")
	}
	switch p.Type {
	case Object:
		if inner = o.Require("properties", "declare them, or use type: json for an opaque value"); inner.Exists() {
			p.Properties = l.readProperties(inner, p.Path, depth+1)
		}
	case Array:
		l.readItems(o.Require("items", "say what the array holds: items: string"), p, depth)
	}
}

func (l *loader) readItems(n strict.Node, p *Property, depth int) {
	switch {
	case !n.Exists():
	case n.IsScalar():
		p.Items, _ = parseType(n.OneOf("string", "integer", "number", "boolean", "timestamp"))
	default:
		o := n.Object("type", "properties")
		o.Require("type", "say type: object").OneOf("object")
		p.Items = Object
		if inner := o.Require("properties", "declare what each object holds"); inner.Exists() {
			p.Properties = l.readProperties(inner, p.Path+"[]", depth+1)
		}
	}
}

func (l *loader) readLeaf(o strict.Object, p *Property) {
	classification := o.Require("classification", "say direct, quasi, sensitive or none").OneOf(classificationNames[1:]...)
	p.Classification, _ = parseClassification(classification)
	p.AllowedFor = o.Get("allowed_for").Texts(strict.Node.Name)
	if n := o.Get("max_length"); n.Exists() {
		if p.MaxLength = n.Int(1, 65536); p.LeafType() != String {
			n.Bad("only strings have a length", "remove it")
		}
	}
	if n := o.Get("enum"); n.Exists() {
		l.readEnum(n, p)
	}
}

func (l *loader) readEnum(n strict.Node, p *Property) {
	t := p.LeafType()
	if t != String && t != Integer {
		n.Bad("only strings and integers can be enumerated", "remove it or change the type")
		return
	}
	p.Enum = n.Texts(strict.Node.Text)
	if len(p.Enum) == 0 {
		n.Bad("lists no value", "list the values, or remove enum")
	}
	for _, value := range p.Enum {
		if p.MaxLength > 0 && utf8.RuneCountInString(value) > p.MaxLength {
			n.Bad(strict.Quote(value)+" is longer than max_length", "shorten it or raise max_length")
		}
		if t == Integer && !canonicalInteger(value) {
			n.Bad(strict.Quote(value)+" is no integer", "write whole numbers")
		}
	}
}

func canonicalInteger(text string) bool {
	v, err := strconv.ParseInt(text, 10, 64)
	return err == nil && strconv.FormatInt(v, 10) == text
}

// checkPaths reports places that contracts shape differently. Policy speaks of places, not of events, so a place is a value, an
// object, an array or opaque in every contract alike, and spelled alike.
func (l *loader) checkPaths(s *Set) {
	first := map[string]*Property{}
	s.walk(func(p *Property) {
		key := strings.ToLower(p.Path)
		other, known := first[key]
		if !known {
			first[key] = p
			return
		}
		where := "in " + other.File + ":" + strconv.Itoa(other.Line)
		problem := strict.Problem{File: p.File, Line: p.Line, Field: p.Path}
		switch {
		case other.Path != p.Path:
			problem.What, problem.Remedy = "differs from "+other.Path+" "+where+" only in case", "spell both alike"
		case other.shape() != p.shape():
			problem.What = "is " + p.shape() + " here and " + other.shape() + " " + where
			problem.Remedy = "rename one of them"
		default:
			return
		}
		l.problems.Add(&problem)
	})
}

func (p *Property) shape() string {
	switch {
	case p.Type == Array && p.Items == Object:
		return "an array of objects"
	case p.Type == Array:
		return "an array of values"
	case p.Type == Object:
		return "an object"
	case p.Type == JSON:
		return "opaque json"
	}
	return "a value"
}
