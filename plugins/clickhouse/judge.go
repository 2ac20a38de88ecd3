package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
)

// judge reads consent, suppression and erasure of every subject of the chunk, as of now, and denies the records that
// may no longer go. It waits until the state is current and decides nothing from anything older.
func (o *output) judge(ctx context.Context, c *chunk) error {
	subjects := newSubjects(c)
	if len(subjects.keys) == 0 {
		return nil
	}
	states, err := o.cfg.lookup.Read(ctx, subjects.keys)
	if err != nil {
		return fmt.Errorf("reading consent before the insert: %w", err)
	}
	if len(states) != len(subjects.keys) {
		return fmt.Errorf("reading consent before the insert: %d states for %d subjects", len(states), len(subjects.keys))
	}
	now := time.Now()
	var own []consent.State
	for i := range c.records {
		r := &c.records[i]
		if r.fate != wanted {
			continue
		}
		own = subjects.next(own[:0], states)
		r.judge(own, now, o.cfg.unlessSuppressed)
	}
	return nil
}

// judge decides for one record. The seal proves that every purpose held when the record was authorized, so that is
// the claim; what the subject has said since can only take away.
func (r *record) judge(states []consent.State, now time.Time, unlessSuppressed bool) {
	all := r.need.purposes.All()
	verdict := consent.Judge(r.need.purposes, consent.Claim{Present: true, Stated: all, Given: all}, states, now)
	switch {
	case !verdict.Holds(r.need.whole):
		r.fate, r.reason = denied, verdict.Reason(r.need.whole)
	case unlessSuppressed && verdict.Suppressed:
		r.fate, r.reason = denied, consent.ReasonSuppressed
	}
	r.gone = 0
	for i, g := range r.need.gates {
		if !verdict.Holds(g.purpose) {
			r.gone |= 1 << i
		}
	}
}

// subjects numbers the distinct subject keys of a chunk, so that each is looked up once.
type subjects struct {
	keys  []string
	index map[string]int32
	of    []int32 // positions in keys of each wanted record's keys, in order
	ends  []int32 // where each wanted record's part of it ends
	at    int     // the wanted record whose states come next
}

func newSubjects(c *chunk) *subjects {
	s := &subjects{
		keys:  make([]string, 0, len(c.records)),
		index: make(map[string]int32, len(c.records)),
		of:    make([]int32, 0, 2*len(c.records)),
		ends:  make([]int32, 0, len(c.records)),
	}
	for i := range c.records {
		if r := &c.records[i]; r.fate == wanted {
			s.add(r.sealed.SubjectKey)
		}
	}
	return s
}

func (s *subjects) add(list string) {
	for list != "" {
		var key string
		key, list, _ = strings.Cut(list, ",")
		at, ok := s.index[key]
		if !ok {
			at = int32(len(s.keys))
			s.index[key] = at
			s.keys = append(s.keys, key)
		}
		s.of = append(s.of, at)
	}
	s.ends = append(s.ends, int32(len(s.of)))
}

// next appends the states of the next wanted record. all are those of keys.
func (s *subjects) next(dst, all []consent.State) []consent.State {
	from := int32(0)
	if s.at > 0 {
		from = s.ends[s.at-1]
	}
	for _, at := range s.of[from:s.ends[s.at]] {
		dst = append(dst, all[at])
	}
	s.at++
	return dst
}
