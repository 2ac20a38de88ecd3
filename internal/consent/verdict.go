package consent

import "time"

// Reasons that name no purpose. The others are consent.<purpose>=false, consent.<purpose>=missing and
// consent.withdrawn.<purpose>.
const (
	ReasonMissing    = "consent.missing"
	ReasonUnreadable = "consent.unreadable"
	ReasonSuppressed = "suppressed"
	ReasonErased     = "erased"
	ReasonUnresolved = "identity.unresolved"
)

type reasonTexts struct{ refused, missing, withdrawn string }

func newReasonTexts(purpose string) reasonTexts {
	return reasonTexts{
		refused:   "consent." + purpose + "=false",
		missing:   "consent." + purpose + "=missing",
		withdrawn: "consent.withdrawn." + purpose,
	}
}

// Verdict is what may be done with one event, for every purpose at once. The masks are of Purposes; the zero value holds nothing.
type Verdict struct {
	Purposes   *Purposes
	Held       Mask // may be relied on
	Refused    Mask // the event itself says false
	Withdrawn  Mask // a consent record says false
	Missing    bool // nobody said anything: no claim, or no record where the source cannot carry a claim
	Unreadable bool // a consent record could not be understood
	Suppressed bool
	Erased     bool
	Unresolved bool // too many identifiers are linked to tell whose event it is

	// Source and Version are those of the consent record that decided. Where there was none, Recorded is false, Version is the
	// claim's own and Source is empty. CheckedAt is when the state was read.
	Recorded  bool
	Source    string
	Version   int64
	CheckedAt time.Time
}

// Holds reports whether every purpose of need may be relied on. Erasure always denies, as does not knowing whose event it
// is; suppression is the destination's affair.
func (v *Verdict) Holds(need Mask) bool {
	return !v.Erased && !v.Unresolved && v.Held.Has(need)
}

// Reason says why the purpose (a mask of one bit) is not held, or "" when it is. It does not allocate.
func (v *Verdict) Reason(need Mask) string {
	switch {
	case v.Erased:
		return ReasonErased
	case v.Unresolved:
		return ReasonUnresolved
	case need != 0 && v.Held.Has(need):
		return ""
	case v.Unreadable:
		return ReasonUnreadable
	case need == 0 || v.Purposes == nil || need&^v.Purposes.All() != 0:
		return ReasonMissing
	}
	texts := &v.Purposes.reasons[v.Purposes.first(need&^v.Held)]
	switch {
	case v.Withdrawn&need != 0:
		return v.Purposes.reasons[v.Purposes.first(v.Withdrawn&need)].withdrawn
	case v.Refused&need != 0:
		return v.Purposes.reasons[v.Purposes.first(v.Refused&need)].refused
	case v.Missing:
		return ReasonMissing
	}
	return texts.missing
}
