package event

import "time"

// TimeLimits bound how far an event's timestamp may lie from now. A zero limit takes the default.
type TimeLimits struct {
	Future time.Duration // 24 hours by default
	Past   time.Duration // 400 days by default
}

// DefaultTimeLimits are what CheckEnvelope uses when it is told nothing else.
var DefaultTimeLimits = TimeLimits{Future: 24 * time.Hour, Past: 400 * 24 * time.Hour}

const (
	maxEventName = 128 // bytes
	maxSubjectID = 512 // bytes
)

func envelopeFault(code string, f Field, remedy string) *Fault {
	return &Fault{Code: code, Path: envelopePaths[f], Remedy: remedy}
}

// The faults are made once: a flood of bad events allocates nothing here.
var (
	faultEventName  = envelopeFault(CodeEnvelopeEventName, EventName, "name the event, in text of 1 to 128 bytes")
	faultTimestamp  = envelopeFault(CodeEnvelopeTimestamp, Timestamp, "say when the user acted, as RFC 3339 with seconds and offset")
	faultSubject    = envelopeFault(CodeEnvelopeSubject, Subject, "give a user_id, an anonymous_id or an account_id of at most 512 bytes")
	faultSource     = envelopeFault(CodeEnvelopeSource, ContextSource, "name the source that sends the event")
	faultFuture     = envelopeFault(CodeEnvelopeFuture, Timestamp, "correct the sender's clock")
	faultAncient    = envelopeFault(CodeEnvelopeAncient, Timestamp, "load history through a replay with its own limits")
	envelopeTexts   = []Field{EventID, UserID, AnonymousID, AccountID, ConsentSource, ConsentVersion, SchemaVersion, CorrelationID, ContextIP, ContextUserAgent}
	envelopeTimes   = []Field{ReceivedAt, ConsentCheckedAt}
	envelopeObjects = []Field{Subject, Consent, Context, Properties}
	typeFaults      = func() (faults [NumEnvelopeFields]*Fault) {
		for _, f := range envelopeTexts {
			faults[f] = envelopeFault(CodeEnvelopeType, f, "send text")
		}
		for _, f := range envelopeTimes {
			faults[f] = envelopeFault(CodeEnvelopeType, f, "send an RFC 3339 time as text")
		}
		for _, f := range envelopeObjects {
			faults[f] = envelopeFault(CodeEnvelopeType, f, "send an object")
		}
		return faults
	}()
)

const maxID = 128 // bytes

var idFaults = [NumEnvelopeFields]*Fault{
	EventID:       envelopeFault(CodeEnvelopeID, EventID, "send an opaque id of 1 to 128 letters, digits and .:_-/+=~"),
	CorrelationID: envelopeFault(CodeEnvelopeID, CorrelationID, "send an opaque id of 1 to 128 letters, digits and .:_-/+=~"),
}

// ValidID reports whether a text may serve as event or correlation id: 1 to 128 ASCII letters, digits and .:_-/+=~ . Such ids
// travel in headers, decisions and quarantine records in clear, so what looks like an address or a sentence is none.
func ValidID(text []byte) bool {
	if len(text) == 0 || len(text) > maxID {
		return false
	}
	for _, c := range text {
		if !idBytes[c] {
			return false
		}
	}
	return true
}

var idBytes = func() (is [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-/+=~" {
		is[c] = true
	}
	return is
}()

// CheckEnvelope checks what every event must have, whatever its contract: event_name, timestamp, one subject id and
// context.source, the types of the envelope's fields, and a timestamp near enough to now. An optional field may be absent
// or null. It gives nil when all is well, and one shared fault otherwise, which must not be changed.
func CheckEnvelope(ix *Index, now time.Time, lim TimeLimits) *Fault {
	if length, ok := textLength(ix, EventName); !ok || length == 0 || length > maxEventName {
		return faultEventName
	}
	if !ix.typed() {
		return mistyped(ix)
	}
	for _, f := range envelopeTimes {
		if v, ok := present(ix, f); ok {
			if _, isTime := timeOf(v); !isTime {
				return typeFaults[f]
			}
		}
	}
	for _, f := range [...]Field{EventID, CorrelationID} {
		if v, ok := present(ix, f); ok && !ValidID(v.Raw()) {
			return idFaults[f]
		}
	}
	if !hasSubject(ix) {
		return faultSubject
	}
	if length, ok := textLength(ix, ContextSource); !ok || length == 0 {
		return faultSource
	}
	return checkTimestamp(ix, now, lim)
}

// envelopeKinds are the kinds that values of the envelope may have, a bit each.
var envelopeKinds = func() (kinds [NumEnvelopeFields]uint8) {
	for f := range kinds {
		kinds[f] = 0xff
	}
	for _, f := range envelopeObjects {
		kinds[f] = 1<<Object | 1<<Null
	}
	for _, f := range envelopeTexts {
		kinds[f] = 1<<String | 1<<Null
	}
	return kinds
}()

// typed reports whether every value of the envelope is of a kind it may have. Times are looked at elsewhere.
func (ix *Index) typed() bool {
	for f := EventName; f < NumEnvelopeFields; f++ {
		if at := ix.env[f]; at > 0 && envelopeKinds[f]>>ix.Nodes[at].Kind&1 == 0 {
			return false
		}
	}
	return true
}

// mistyped is the fault of the first value that is not of the kind it must have, in the order of the lists.
func mistyped(ix *Index) *Fault {
	for _, f := range envelopeObjects {
		if v, ok := present(ix, f); ok && v.Kind() != Object {
			return typeFaults[f]
		}
	}
	for _, f := range envelopeTexts {
		if v, ok := present(ix, f); ok && v.Kind() != String {
			return typeFaults[f]
		}
	}
	return nil
}

func checkTimestamp(ix *Index, now time.Time, lim TimeLimits) *Fault {
	if lim.Future <= 0 {
		lim.Future = DefaultTimeLimits.Future
	}
	if lim.Past <= 0 {
		lim.Past = DefaultTimeLimits.Past
	}
	v, ok := present(ix, Timestamp)
	if !ok {
		return faultTimestamp
	}
	at, ok := timeOf(v)
	switch {
	case !ok:
		return faultTimestamp
	case at.After(now.Add(lim.Future)):
		return faultFuture
	case at.Before(now.Add(-lim.Past)):
		return faultAncient
	}
	return nil
}

func hasSubject(ix *Index) bool {
	found := false
	for _, f := range [...]Field{UserID, AnonymousID, AccountID} {
		length, ok := textLength(ix, f)
		if length > maxSubjectID {
			return false
		}
		found = found || ok && length > 0
	}
	return found
}

func present(ix *Index, f Field) (Value, bool) {
	v, ok := ix.Get(f)
	return v, ok && v.Kind() != Null
}

// textLength is the length of a string field as it was sent; false when it is absent or no string.
func textLength(ix *Index, f Field) (int, bool) {
	v, ok := ix.Get(f)
	if !ok || v.Kind() != String {
		return 0, false
	}
	return len(v.Raw()), true
}

func timeOf(v Value) (time.Time, bool) {
	if v.Kind() != String {
		return time.Time{}, false
	}
	var scratch [64]byte
	return ParseTime(v.Text(scratch[:0]))
}
