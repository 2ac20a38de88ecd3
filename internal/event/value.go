package event

import (
	"math"
	"strconv"
)

// Value is one value of an Index: a cheap handle, valid as long as the Index is. The zero Value belongs to no event; only
// the Values that an Index hands out may be asked anything.
type Value struct {
	ix  *Index
	pos uint32
}

func (v Value) node() *Node { return &v.ix.Nodes[v.pos] }

// Pos is the value's position on the tape.
func (v Value) Pos() int { return int(v.pos) }

// Kind is the value's JSON type.
func (v Value) Kind() Kind { return v.node().Kind }

// Field is the governed place the value stands at, or NoField.
func (v Value) Field() Field { return v.node().Field }

// Raw is the value's span as it was sent: strings without quotes and still escaped. It aliases the event's bytes.
func (v Value) Raw() []byte {
	n := v.node()
	return v.ix.Buf[n.Start:n.End:n.End]
}

// Text is the unescaped text of a string and the raw span of anything else. It aliases the event's bytes where nothing is
// escaped, else it is written over scratch, which grows as needed.
func (v Value) Text(scratch []byte) []byte {
	raw := v.Raw()
	if v.node().Flags&ValueEscaped == 0 {
		return raw
	}
	return appendUnescaped(scratch[:0], raw)
}

// String is Text as a copy of its own.
func (v Value) String() string {
	if v.ix == nil {
		return ""
	}
	return string(v.Text(nil))
}

// Key is the unescaped name of an object member, empty for array elements and the root. It aliases or uses scratch as
// Text does.
func (v Value) Key(scratch []byte) []byte {
	n := v.node()
	raw := v.ix.Buf[n.KeyStart:n.KeyEnd:n.KeyEnd]
	if n.Flags&KeyEscaped == 0 {
		return raw
	}
	return appendUnescaped(scratch[:0], raw)
}

// Bool is whether the value is the literal true.
func (v Value) Bool() bool { return v.node().Kind == True }

// IsInteger is whether the value is a number written without fraction and exponent, of any size.
func (v Value) IsInteger() bool {
	n := v.node()
	return n.Kind == Number && n.Flags&Fractional == 0
}

// Int64 is the exact integer; false when the value is no integer literal or does not fit.
func (v Value) Int64() (int64, bool) {
	if !v.IsInteger() {
		return 0, false
	}
	raw := v.Raw()
	negative := raw[0] == '-'
	if negative {
		raw = raw[1:]
	}
	magnitude, ok := parseDigits(raw)
	switch {
	case !ok:
		return 0, false
	case negative && magnitude <= 1<<63:
		return -int64(magnitude), true
	case !negative && magnitude <= math.MaxInt64:
		return int64(magnitude), true
	}
	return 0, false
}

// Uint64 is the exact integer; false when the value is no integer literal, is negative or does not fit.
func (v Value) Uint64() (uint64, bool) {
	if !v.IsInteger() {
		return 0, false
	}
	raw := v.Raw()
	if raw[0] == '-' {
		magnitude, ok := parseDigits(raw[1:])
		return 0, ok && magnitude == 0
	}
	return parseDigits(raw)
}

// Float64 is the double nearest to the number; false when the value is no number. It is always finite.
func (v Value) Float64() (float64, bool) {
	if v.node().Kind != Number {
		return 0, false
	}
	if whole, ok := v.Int64(); ok && whole != 0 && whole > -(1<<53) && whole < 1<<53 {
		return float64(whole), true
	}
	float, err := strconv.ParseFloat(aliasString(v.Raw()), 64)
	return float, err == nil
}

// Each calls visit for the direct members or elements in document order until it returns false. Scalars have none.
func (v Value) Each(visit func(Value) bool) {
	n := v.node()
	for at := v.pos + 1; at < n.Next; at = v.ix.Nodes[at].Next {
		if !visit(Value{ix: v.ix, pos: at}) {
			return
		}
	}
}

func parseDigits(digits []byte) (uint64, bool) {
	var sum uint64
	for _, c := range digits {
		digit := uint64(c - '0')
		if sum > (math.MaxUint64-digit)/10 {
			return 0, false
		}
		sum = sum*10 + digit
	}
	return sum, true
}
