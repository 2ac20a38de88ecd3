package contract

import (
	"slices"
	"time"
)

// Type is the declared type of a property.
type Type uint8

// The types a property can have.
const (
	String Type = iota + 1
	Integer
	Number
	Boolean
	Timestamp // RFC 3339 text
	Object    // has properties of its own
	Array     // of one scalar type, or of objects
	JSON      // any value, opaque: policy sees it as one field
)

var typeNames = [...]string{
	String: "string", Integer: "integer", Number: "number", Boolean: "boolean",
	Timestamp: "timestamp", Object: "object", Array: "array", JSON: "json",
}

// String gives the type as contracts write it.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return ""
}

// Scalar reports whether values of the type are single values.
func (t Type) Scalar() bool { return t >= String && t <= Timestamp }

func parseType(name string) (Type, bool) {
	i := slices.Index(typeNames[1:], name)
	return Type(i + 1), i >= 0
}

// Classification says how closely a property points at a person.
type Classification uint8

// The classifications, mildest first.
const (
	None      Classification = iota + 1
	Quasi                    // identifies together with other data
	Sensitive                // special or unpredictable content, such as free text
	Direct                   // identifies alone
)

var classificationNames = [...]string{None: "none", Quasi: "quasi", Sensitive: "sensitive", Direct: "direct"}

// String gives the classification as contracts write it.
func (c Classification) String() string {
	if int(c) < len(classificationNames) {
		return classificationNames[c]
	}
	return ""
}

// Guarded reports whether a value may go untransformed only for a purpose its contract allows.
func (c Classification) Guarded() bool { return c >= Sensitive }

func parseClassification(name string) (Classification, bool) {
	i := slices.Index(classificationNames[1:], name)
	return Classification(i + 1), i >= 0
}

// Property is one declared property of an event.
type Property struct {
	Event          string // whose contract it is; "" for the envelope's own
	Name           string
	Path           string // "properties.items[].sku"
	Type           Type
	Items          Type // of an Array: the type of its elements
	Required       bool
	Classification Classification // leaves only
	Description    string
	Enum           []string // allowed values, as text
	MaxLength      int      // in characters, 0 for no limit
	AllowedFor     []string // purposes it may go for untransformed; empty: see Allows
	ServerOnly     bool     // from: server; what a browser says of it is not believed, and removed at the door
	Properties     []*Property
	File           string
	Line           int
}

// Leaf reports whether the property (or its elements) is governed as one field.
func (p *Property) Leaf() bool { return p.Type != Object && (p.Type != Array || p.Items != Object) }

// LeafPath is the path of the governed field: of a scalar array the path of its elements.
func (p *Property) LeafPath() string {
	if p.Type == Array {
		return p.Path + "[]"
	}
	return p.Path
}

// LeafType is the type of the governed field: of an array the type of its elements.
func (p *Property) LeafType() Type {
	if p.Type == Array {
		return p.Items
	}
	return p.Type
}

// Allows reports whether the value may go untransformed when the purpose holds. Where allowed_for is declared it decides; where
// it is not, guarded values never may and the others always may.
func (p *Property) Allows(purpose string) bool {
	if len(p.AllowedFor) == 0 {
		return !p.Classification.Guarded()
	}
	return slices.Contains(p.AllowedFor, purpose)
}

// Class is a kind of event with one retention and one purpose of storage, from contracts/classes.yaml.
type Class struct {
	Name        string
	Description string
	Retention   time.Duration // 0 for ever
	Storage     string        // the purpose that must hold to store such events at all, or "none"
	File        string
	Line        int
}

// Contract is one version of one event. It is immutable and safe for concurrent use.
type Contract struct {
	Event       string
	Version     string
	Owner       string
	Description string
	Class       *Class
	From        string // server, browser, or "" for both
	Quarantine  bool   // undeclared properties quarantine the event instead of being removed
	Properties  []*Property
	// Choice says that the event's consent is one the subject has just chosen, and not only what held when it happened.
	Choice       bool
	Suppressions []Suppression // the first that holds counts
	File         string
	Line         int

	checks *checks
}
