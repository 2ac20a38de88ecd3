package mask

import "unsafe"

// Kinds is a set of contract types.
type Kinds uint8

// The contract types a transform can read.
const (
	String Kinds = 1 << iota
	Integer
	Number
	Boolean
	Timestamp
)

// Has tells whether the set holds a contract type, by the name contracts use for it. Unknown names are in no set.
func (k Kinds) Has(contractType string) bool {
	switch contractType {
	case "string":
		return k&String != 0
	case "integer":
		return k&Integer != 0
	case "number":
		return k&Number != 0
	case "boolean":
		return k&Boolean != 0
	case "timestamp":
		return k&Timestamp != 0
	}
	return false
}

// Transform turns the text of a value into what a destination may see of it.
type Transform interface {
	// Append appends the result to dst. text is the unescaped string, or the digits of a number as they were written; it is
	// only read, and not kept. On error dst is returned as it came, and the value must not be delivered.
	Append(dst []byte, text []byte) ([]byte, error)
	// Kinds are the contract types whose values Append can understand.
	Kinds() Kinds
	// Name is the transform's name in a policy, such as truncate_ip or mask: email.
	Name() string
}

// Keyed is a transform that Parse returns without its key. Until it is bound it refuses every value.
type Keyed interface {
	Transform
	// Bind returns the transform with a key from keys.Ring.Token; the receiver stays unbound. The key is copied.
	Bind(key []byte, keyID string) Transform
}

// Error is a value that a transform did not understand.
type Error struct {
	// Code is mask. and the transform, such as mask.email.
	Code string
	// Expected describes the values the transform understands.
	Expected string
}

// Error gives the code and what was expected, and nothing of the value.
func (e *Error) Error() string { return e.Code + ": expected " + e.Expected }

// view reads text as a string without a copy. The string must not outlive the call that made it.
func view(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
