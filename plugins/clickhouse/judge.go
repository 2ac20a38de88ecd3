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
	if o.cfg.audit != nil {
		return nil // a decision is kept whatever its subject says since: that is what it is for
	}
	keys := subjectKeys(c)
	if len(keys) == 0 {
		return nil
	}
	states, err := o.cfg.lookup.Read(ctx, keys)
	if err != nil {
		return fmt.Errorf("reading consent before the insert: %w", err)
	}
	if len(states) != len(keys) {
		return fmt.Errorf("reading consent before the insert: %d states for %d subject keys", len(states), len(keys))
	}
	now := time.Now()
	for i := range c.records {
		r := &c.records[i]
		if r.fate != wanted {
			continue
		}
		own := 1 + strings.Count(r.sealed.SubjectKey, ",")
		r.judge(states[:own], now, c.rules)
		states = states[own:]
	}
	return nil
}

// subjectKeys lists the keys of the wanted records, one record after the other.
func subjectKeys(c *chunk) []string {
	keys := make([]string, 0, 2*len(c.records))
	for i := range c.records {
		r := &c.records[i]
		if r.fate != wanted {
			continue
		}
		key, list, more := strings.Cut(r.sealed.SubjectKey, ",")
		for keys = append(keys, key); more; keys = append(keys, key) {
			key, list, more = strings.Cut(list, ",")
		}
	}
	return keys
}

// judge decides for one record. The seal proves that every purpose held when the record was authorized, so that is
// the claim; what the subject has said since can only take away.
func (r *record) judge(states []consent.State, now time.Time, rules *exportRules) {
	all := r.need.purposes.All()
	verdict := consent.Judge(r.need.purposes, consent.Claim{Present: true, Stated: all, Given: all}, states, now)
	switch {
	case !verdict.Holds(r.need.whole):
		r.deny(verdict.Reason(r.need.whole), rules.denying(r, &verdict), verdict.Version)
	case rules.unlessSuppressed && verdict.Suppressed:
		r.deny(consent.ReasonSuppressed, rules.unlessRule, verdict.Version)
	}
	r.gone = 0
	for i, g := range r.need.gates {
		if !verdict.Holds(g.purpose) {
			r.gone |= 1 << i
		}
	}
}

func (r *record) deny(reason, rule string, version int64) {
	r.fate, r.reason, r.rule, r.version = denied, reason, rule, version
}
