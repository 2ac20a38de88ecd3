package clickhouse

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is what a column's values are, apart from Nullable, LowCardinality and Array around them.
type Kind uint8

// The kinds of column a Block can carry.
const (
	String Kind = iota + 1
	FixedString
	UUID
	Bool
	Int
	Uint
	Float
	Date
	Date32
	DateTime
	DateTime64
)

// Type is a parsed column type.
type Type struct {
	Text     string // as the server writes it
	Kind     Kind
	Size     int // bytes of one value; 0 for String
	Scale    int // digits after the second of a DateTime64
	Nullable bool
	LowCard  bool // LowCardinality around (Nullable) String
	Array    bool // Array around String
}

var fixedTypes = map[string]Type{
	"String": {Kind: String}, "UUID": {Kind: UUID, Size: 16}, "Bool": {Kind: Bool, Size: 1},
	"Int8": {Kind: Int, Size: 1}, "Int16": {Kind: Int, Size: 2}, "Int32": {Kind: Int, Size: 4}, "Int64": {Kind: Int, Size: 8},
	"UInt8": {Kind: Uint, Size: 1}, "UInt16": {Kind: Uint, Size: 2}, "UInt32": {Kind: Uint, Size: 4}, "UInt64": {Kind: Uint, Size: 8},
	"Float32": {Kind: Float, Size: 4}, "Float64": {Kind: Float, Size: 8},
	"Date": {Kind: Date, Size: 2}, "Date32": {Kind: Date32, Size: 4}, "DateTime": {Kind: DateTime, Size: 4},
}

// ParseType reads a type as system.columns words it. The error names the type and the kinds that can be used instead.
func ParseType(text string) (Type, error) {
	t, ok := parseType(text)
	if !ok {
		return Type{}, fmt.Errorf("column type %s cannot be written: use String, LowCardinality(String), FixedString, UUID, Bool, (U)Int8 to (U)Int64, Float32, Float64, Date, Date32, DateTime, DateTime64, Nullable of these, or Array(String)", text)
	}
	t.Text = text
	return t, nil
}

func parseType(text string) (Type, bool) {
	if inner, ok := wrapped(text, "LowCardinality"); ok {
		t, ok := parseType(inner)
		t.LowCard = true
		return t, ok && t.Kind == String && !t.Array
	}
	if inner, ok := wrapped(text, "Nullable"); ok {
		t, ok := parseType(inner)
		legal := ok && !t.Nullable && !t.LowCard && !t.Array
		t.Nullable = true
		return t, legal
	}
	if inner, ok := wrapped(text, "Array"); ok {
		t := fixedTypes[inner]
		t.Array = true
		return t, t.Kind == String
	}
	return parseScalar(text)
}

func parseScalar(text string) (Type, bool) {
	if t, ok := fixedTypes[text]; ok {
		return t, true
	}
	if inner, ok := wrapped(text, "FixedString"); ok {
		n, err := strconv.Atoi(inner)
		return Type{Kind: FixedString, Size: n}, err == nil && n > 0
	}
	if _, ok := wrapped(text, "DateTime"); ok {
		return Type{Kind: DateTime, Size: 4}, true
	}
	if inner, ok := wrapped(text, "DateTime64"); ok {
		digits, _, _ := strings.Cut(inner, ",")
		n, err := strconv.Atoi(strings.TrimSpace(digits))
		return Type{Kind: DateTime64, Size: 8, Scale: n}, err == nil && n >= 0 && n <= 9
	}
	return Type{}, false
}

func wrapped(text, name string) (inner string, ok bool) {
	rest, ok := strings.CutPrefix(text, name+"(")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, ")")
}
