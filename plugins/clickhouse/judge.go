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
		own = subjects.states(own[:0], r.sealed.SubjectKey, states)
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
	index map[string]int
}

func newSubjects(c *chunk) *subjects {
	s := &subjects{index: make(map[string]int, len(c.records))}
	for i := range c.records {
		if r := &c.records[i]; r.fate == wanted {
			s.each(r.sealed.SubjectKey, s.add)
		}
	}
	return s
}

func (s *subjects) add(key string) {
	if _, ok := s.index[key]; !ok {
		s.index[key] = len(s.keys)
		s.keys = append(s.keys, key)
	}
}

func (s *subjects) each(list string, visit func(key string)) {
	for list != "" {
		var key string
		key, list, _ = strings.Cut(list, ",")
		visit(key)
	}
}

func (s *subjects) states(dst []consent.State, list string, all []consent.State) []consent.State {
	for list != "" {
		var key string
		key, list, _ = strings.Cut(list, ",")
		dst = append(dst, all[s.index[key]])
	}
	return dst
}
