package seal

// Error is a refusal of a record. Its text holds no value of the record.
type Error struct {
	// Code is one of seal.missing, seal.destination, seal.mismatch and seal.unknown_key.
	Code string
	// Remedy says what an operator looks at.
	Remedy string
}

// Error gives the code and the remedy.
func (e *Error) Error() string { return e.Code + ": " + e.Remedy }

// Refusals. The first three are permanent: the same record will never verify.
var (
	// ErrMissing: the record carries no seal.
	ErrMissing = &Error{"seal.missing", "the record was not written by a redact processor; read a topic of sealed records"}
	// ErrDestination: the record was sealed for another destination.
	ErrDestination = &Error{"seal.destination", "the record was sealed for another destination; read this destination's own topic"}
	// ErrMismatch: the record is not the one that was sealed, or the seal is no seal.
	ErrMismatch = &Error{"seal.mismatch", "the record or its seal was changed after sealing, or moved to another topic"}
	// ErrUnknownKey: the seal names a master this process does not hold. This is not the record's fault: a missing key means
	// wait, so callers retry, as they do when a store is unavailable.
	ErrUnknownKey = &Error{"seal.unknown_key", "the record was sealed with a master this process has not loaded; install the current master key file and restart"}
)
