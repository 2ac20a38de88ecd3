package dialect

import (
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

// Dialects is a set of dialects.
type Dialects uint8

// The dialects.
const (
	Segment Dialects = 1 << iota
	ConsentManager
	MetaRouter
	RudderStack
	TCF
	GPP
	GPC
)

var dialectNames = [...]string{"segment", "consent_manager", "metarouter", "rudderstack", "tcf", "gpp", "gpc"}

// Statement is what one event says of consent, in purposes. The masks are of the rules' purposes and have none in common; a
// purpose in neither was not spoken of, and is not granted.
type Statement struct {
	Given    consent.Mask
	Refused  consent.Mask
	Dialects Dialects // that said it; none when the event says nothing of consent
}

// Append appends the statement as an envelope's consent object, read at the given time, which is RFC 3339.
func (r *Rules) Append(dst []byte, s Statement, at []byte) []byte {
	dst = append(dst, '{')
	for _, name := range r.purposes.Names() {
		switch bit, _ := r.purposes.Bit(name); {
		case s.Given.Has(bit):
			dst = append(event.AppendString(dst, []byte(name)), ":true,"...)
		case s.Refused.Has(bit):
			dst = append(event.AppendString(dst, []byte(name)), ":false,"...)
		}
	}
	dst = s.Dialects.append(append(dst, `"source":"`...))
	dst = append(append(dst, `","checked_at":"`...), at...)
	return append(dst, `"}`...)
}

// Record is the statement as a record of privacy.consent. Who writes it gives it its version.
func (r *Rules) Record(s Statement, changedAt time.Time, proof string) *consent.Record {
	record := &consent.Record{
		Purposes: map[string]bool{}, Source: string(s.Dialects.append(nil)), ChangedAt: changedAt, Proof: proof,
	}
	for _, name := range r.purposes.Names() {
		if bit, _ := r.purposes.Bit(name); (s.Given | s.Refused).Has(bit) {
			record.Purposes[name] = s.Given.Has(bit)
		}
	}
	return record
}

// append writes the dialects' names with a plus between them.
func (d Dialects) append(dst []byte) []byte {
	for i, name := range dialectNames {
		if d>>i&1 == 0 {
			continue
		}
		if d&(1<<i-1) != 0 {
			dst = append(dst, '+')
		}
		dst = append(dst, name...)
	}
	return dst
}
