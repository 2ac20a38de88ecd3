package consent

import (
	"maps"
	"slices"
	"time"
)

// Choice is what was said of some purposes at one moment, by the subject or for them.
type Choice struct {
	Purposes map[string]bool
	Source   string
	At       time.Time
	Proof    string
}

// With returns the record that the choice makes of r, which may be nil, and whether it says anything new. Of each purpose the
// later statement stands, and of two at the same moment the refusal: choices may come late, twice and in any order. A record
// that cannot be read denies everything, and stays.
func (r *Record) With(c Choice) (next *Record, changed bool) {
	if r != nil && r.Unreadable {
		return r, false
	}
	c.At = c.At.UTC()
	next = &Record{Purposes: map[string]bool{}, StatedAt: map[string]time.Time{}}
	if r != nil {
		next.Version, next.ChangedAt = r.Version, r.ChangedAt
		maps.Copy(next.Purposes, r.Purposes)
	}
	for name, given := range c.Purposes {
		if r.outlasts(name, given, c.At) {
			continue
		}
		next.Purposes[name], next.StatedAt[name] = given, c.At
		changed = true
	}
	if !changed {
		return r, false
	}
	next.Version++
	next.Source, next.Proof = c.Source, c.Proof
	if c.At.After(next.ChangedAt) {
		next.ChangedAt = c.At
	}
	next.keepTimes(r)
	return next, true
}

// outlasts reports whether what r says of the purpose stands against the statement.
func (r *Record) outlasts(purpose string, given bool, at time.Time) bool {
	if r == nil {
		return false
	}
	current, stated := r.Purposes[purpose]
	if !stated {
		return false
	}
	since := r.Stated(purpose)
	return since.After(at) || (since.Equal(at) && (given || !current))
}

// Stated is when the record's statement about the purpose was made.
func (r *Record) Stated(purpose string) time.Time {
	if at, ok := r.StatedAt[purpose]; ok {
		return at
	}
	return r.ChangedAt
}

// keepTimes completes StatedAt by what the record before said, and leaves out what ChangedAt says.
func (r *Record) keepTimes(before *Record) {
	for name := range r.Purposes {
		at, ok := r.StatedAt[name]
		if !ok {
			at = before.Stated(name)
		}
		if at.Equal(r.ChangedAt) {
			delete(r.StatedAt, name)
		} else {
			r.StatedAt[name] = at
		}
	}
}

// With returns the suppression that next makes of s, which may be nil, and whether it says anything new. Of a suppression and a lift
// the later stands, and at the same moment the suppression. Channels add to those suppressed; none means all. One that cannot be
// read suppresses everything, and stays.
func (s *Suppression) With(next Suppression) (_ *Suppression, changed bool) {
	next.ChangedAt = next.ChangedAt.UTC()
	if s == nil {
		next.Version = 1
		return &next, true
	}
	later := next.ChangedAt.After(s.ChangedAt)
	switch {
	case s.Unreadable:
		return s, false
	case next.Lifted != s.Lifted:
		if !later && (next.Lifted || s.ChangedAt.After(next.ChangedAt)) {
			return s, false
		}
	case !later && s.covers(next.Channels):
		return s, false
	case !s.Lifted:
		next.Channels = widened(s.Channels, next.Channels)
	}
	if !later {
		next.Reason, next.Source, next.ChangedAt = s.Reason, s.Source, s.ChangedAt
	}
	next.Version = s.Version + 1
	return &next, true
}

// covers reports whether s says nothing less of the channels.
func (s *Suppression) covers(channels []string) bool {
	if s.Lifted || len(s.Channels) == 0 {
		return true
	}
	for _, channel := range channels {
		if !slices.Contains(s.Channels, channel) {
			return false
		}
	}
	return len(channels) > 0
}

func widened(channels, more []string) []string {
	if len(channels) == 0 || len(more) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(channels, more))))
}
