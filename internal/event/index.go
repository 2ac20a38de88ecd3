package event

// Kind is the JSON type of a value.
type Kind uint8

// The kinds of value.
const (
	Null Kind = iota
	False
	True
	Number
	String
	Object
	Array
)

// What a Node's Flags say.
const (
	// KeyEscaped: the member's name contains a backslash escape.
	KeyEscaped uint8 = 1 << iota
	// ValueEscaped: the string contains a backslash escape.
	ValueEscaped
	// NonASCII: the string contains bytes above 0x7f as they stand (an escape does not count).
	NonASCII
	// Fractional: the number has a fraction or an exponent.
	Fractional
	// Canonical: the container stands in canonical form, without white space and escapes, and may be copied as it is.
	Canonical
)

// Node is one value on the tape, which holds the document in its own order. Start and End are the value's span in Buf:
// strings without their quotes, containers with their brackets. KeyStart and KeyEnd are the member name's span without
// quotes, zero for array elements and the root. Next is the tape position after this value and all that is in it.
type Node struct {
	Start, End       uint32
	KeyStart, KeyEnd uint32
	Next             uint32
	Field            Field
	Kind             Kind
	Flags            uint8
}

// Index is a scanned event. It aliases Buf, which must not change while the Index is used. Many goroutines may read it.
type Index struct {
	Buf   []byte
	Nodes []Node
	dict  *Dictionary
	env   [NumEnvelopeFields]int32
}

// Dict is the Dictionary whose fields the nodes carry.
func (ix *Index) Dict() *Dictionary { return ix.dict }

// Root is the event itself, an object.
func (ix *Index) Root() Value { return Value{ix: ix} }

// At is the value at tape position i.
func (ix *Index) At(i int) Value { return Value{ix: ix, pos: uint32(i)} }

// Get finds the first value of a field in document order. Envelope fields cost a table look-up, others a walk over the
// tape; code that wants many of them walks the tape itself. Nothing stands at NoField.
func (ix *Index) Get(f Field) (Value, bool) {
	if f == NoField {
		return Value{}, false
	}
	if f < NumEnvelopeFields {
		at := ix.env[f]
		return Value{ix: ix, pos: uint32(at)}, at > 0
	}
	for i := range ix.Nodes {
		if ix.Nodes[i].Field == f {
			return Value{ix: ix, pos: uint32(i)}, true
		}
	}
	return Value{}, false
}
