package consent

import "maps"

// Join is what is known of one person under several identifiers: the most restrictive of what is said under any. Judging the
// result is judging all of them.
func Join(states []State) State {
	var joined State
	for i := range states {
		s := &states[i]
		joined.Unresolved = joined.Unresolved || s.Unresolved
		joined.Consent = joinRecords(joined.Consent, s.Consent)
		if s.Suppressed.active() && !joined.Suppressed.active() || joined.Suppressed == nil {
			joined.Suppressed = s.Suppressed
		}
		if joined.Erased == nil {
			joined.Erased = s.Erased
		}
	}
	return joined
}

// joinRecords keeps every denial, and every consent that nothing denies. The first record that denies something speaks for
// the result, else the first there is. Records are not changed: views share them.
func joinRecords(a, b *Record) *Record {
	switch {
	case b == nil || a == b:
		return a
	case a == nil:
		return b
	}
	speaker := a
	if !a.denies() && b.denies() {
		speaker = b
	}
	joined := *speaker
	joined.Unreadable = a.Unreadable || b.Unreadable
	joined.Purposes = maps.Clone(a.Purposes)
	if joined.Purposes == nil {
		joined.Purposes = map[string]bool{}
	}
	for name, given := range b.Purposes {
		if held, stated := joined.Purposes[name]; !stated || held {
			joined.Purposes[name] = given
		}
	}
	return &joined
}

func (r *Record) denies() bool {
	if r.Unreadable {
		return true
	}
	for _, given := range r.Purposes {
		if !given {
			return true
		}
	}
	return false
}
