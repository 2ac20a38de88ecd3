package event

import (
	"errors"
	"strconv"
)

// Codes that the scanner gives. They are stable: quarantine records, metrics and documentation use them.
const (
	CodeSyntax        = "event.syntax"
	CodeEmpty         = "event.empty"
	CodeTooLarge      = "event.too_large"
	CodeTooDeep       = "event.too_deep"
	CodeTooManyKeys   = "event.too_many_keys"
	CodeKeyTooLong    = "event.key_too_long"
	CodeStringTooLong = "event.string_too_long"
	CodeNumber        = "event.number"
	CodeUTF8          = "event.utf8"
	CodeSurrogate     = "event.surrogate"
	CodeControlChar   = "event.control_char"
	CodeDuplicateName = "event.duplicate_name"
	CodeTrailingData  = "event.trailing_data"
	CodeBOM           = "event.bom"
	CodeNearName      = "event.near_name"
	CodeNotObject     = "event.not_object"
)

// Codes that CheckEnvelope gives.
const (
	CodeEnvelopeEventName = "envelope.event_name"
	CodeEnvelopeTimestamp = "envelope.timestamp"
	CodeEnvelopeSubject   = "envelope.subject"
	CodeEnvelopeSource    = "envelope.source"
	CodeEnvelopeType      = "envelope.type"
	CodeEnvelopeID        = "envelope.id"
	CodeEnvelopeFuture    = "envelope.future"
	CodeEnvelopeAncient   = "envelope.ancient"
)

var remedies = map[string]string{
	CodeSyntax:        "send one JSON object that follows RFC 8259",
	CodeEmpty:         "send one JSON object, the body is empty",
	CodeTooLarge:      "send a smaller event",
	CodeTooDeep:       "flatten the event",
	CodeTooManyKeys:   "send fewer names in one object, or a list",
	CodeKeyTooLong:    "use a shorter name",
	CodeStringTooLong: "shorten the text or send a reference to it",
	CodeNumber:        "send a JSON number that fits a double, or a string",
	CodeUTF8:          "encode the event as UTF-8",
	CodeSurrogate:     "pair the surrogate escapes",
	CodeControlChar:   "escape control characters, and keep NUL out of names",
	CodeDuplicateName: "send every name once",
	CodeTrailingData:  "send exactly one JSON object",
	CodeBOM:           "send the event without a byte order mark",
	CodeNearName:      "spell the governed name exactly as the contract does",
	CodeNotObject:     "send one JSON object",
}

// Fault says what is wrong with an event and where. It is the one error shape of the pure packages. It never holds a
// value of the event, and its Path shows only names a contract or policy governs; other names read `?`.
type Fault struct {
	Code   string // stable, dotted: event.duplicate_name, contract.type
	Path   string // dotted path from the event's root, empty for the event itself
	Remedy string // what the sender or the owner of the contract can do about it
	Offset int    // byte offset in the event, zero when there is none
}

// Error is the name scanner faults go by; it is the same type.
type Error = Fault

// Error gives `code at path (byte offset): remedy` without the parts that are empty.
func (f Fault) Error() string {
	text := f.Code
	if f.Path != "" {
		text += " at " + f.Path
	}
	if f.Offset > 0 {
		text += " (byte " + strconv.Itoa(f.Offset) + ")"
	}
	if f.Remedy != "" {
		text += ": " + f.Remedy
	}
	return text
}

// AsFault finds the Fault in err's chain, whether it was returned by value or by pointer.
func AsFault(err error) (Fault, bool) {
	if pointer, ok := errors.AsType[*Fault](err); ok && pointer != nil {
		return *pointer, true
	}
	return errors.AsType[Fault](err)
}
