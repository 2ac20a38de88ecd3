package consent

import "time"

// Judge joins the claim with the state of every identifier of the subject, which must be fresh, and stamps the verdict with at,
// the time of that read. The most restrictive statement wins. It does not allocate.
func Judge(p *Purposes, claim Claim, states []State, at time.Time) Verdict {
	v := Verdict{Purposes: p, CheckedAt: at, Refused: claim.Stated &^ claim.Given}
	var allowed Mask
	var deciding *Record
	for i := range states {
		s := &states[i]
		v.Suppressed = v.Suppressed || s.Suppressed.active()
		v.Erased = v.Erased || s.Erased != nil
		v.Unresolved = v.Unresolved || s.Unresolved
		if s.Consent == nil {
			continue
		}
		v.Recorded = true
		yes, no := s.Consent.masks(p)
		v.Unreadable = v.Unreadable || s.Consent.Unreadable
		if deciding == nil || (no != 0 && v.Withdrawn == 0) {
			deciding = s.Consent
		}
		allowed |= yes
		v.Withdrawn |= no
	}
	if !claim.LookupOnly {
		allowed = claim.Given
	}
	v.Missing = (claim.LookupOnly && !v.Recorded) || (!claim.LookupOnly && !claim.Present)
	v.Held = allowed &^ v.Refused &^ v.Withdrawn
	if v.Erased || v.Unresolved {
		v.Held = 0
	}
	v.Version = claim.Version
	if deciding != nil {
		v.Source, v.Version = deciding.Source, deciding.Version
	}
	return v
}

// masks splits the record's statements into purposes given and denied. An unreadable record denies all.
func (r *Record) masks(p *Purposes) (yes, no Mask) {
	if r.Unreadable {
		return 0, p.All()
	}
	for i, name := range p.names {
		switch given, stated := r.Purposes[name]; {
		case given:
			yes |= 1 << i
		case stated:
			no |= 1 << i
		}
	}
	return yes, no
}

func (s *Suppression) active() bool { return s != nil && (!s.Lifted || s.Unreadable) }
