package staging

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/policy"
)

// requirement is what a record, or a row, needs its subject to agree to.
type requirement struct {
	purposes *consent.Purposes
	whole    consent.Mask // it goes only while these hold
	gates    []gate
}

// gate is a purpose on which single paths depend.
type gate struct {
	purpose consent.Mask
	paths   []string
}

func newRequirement(requires policy.Requires, storage ...string) (*requirement, error) {
	whole := []string{requires.Purpose}
	for _, name := range storage {
		if name != "" {
			whole = append(whole, name)
		}
	}
	names := whole
	for _, f := range requires.Fields {
		names = append(names, f.Purpose)
	}
	purposes, err := consent.NewPurposes(names...)
	if err != nil {
		return nil, err
	}
	need := &requirement{purposes: purposes}
	for _, name := range whole {
		bit, _ := purposes.Bit(name)
		need.whole |= bit
	}
	for _, f := range requires.Fields {
		bit, _ := purposes.Bit(f.Purpose)
		need.gates = append(need.gates, gate{bit, f.Paths})
	}
	return need, nil
}

// judge tells why it may not go any more, or which of its paths may not. The seal proves that every purpose held when it was
// authorized, so that is the claim; what the subject has said since can only take away.
func (n *requirement) judge(states []consent.State, now time.Time, unlessSuppressed bool) (denied string, gone map[string]bool) {
	all := n.purposes.All()
	verdict := consent.Judge(n.purposes, consent.Claim{Present: true, Stated: all, Given: all}, states, now)
	switch {
	case !verdict.Holds(n.whole):
		return verdict.Reason(n.whole), nil
	case unlessSuppressed && verdict.Suppressed:
		return consent.ReasonSuppressed, nil
	}
	for _, g := range n.gates {
		if verdict.Holds(g.purpose) {
			continue
		}
		if gone == nil {
			gone = map[string]bool{}
		}
		for _, path := range g.paths {
			gone[path] = true
		}
	}
	return "", gone
}

// withheld is whether a column of the path may not be filled: the path, what is below it or what it lies in is gone.
func withheld(gone map[string]bool, path string) bool {
	for p := range gone {
		p = strings.ReplaceAll(p, "[]", "")
		if p == path || strings.HasPrefix(p, path+".") || strings.HasPrefix(path, p+".") {
			return true
		}
	}
	return false
}

// states reads what is known of the keys as of now. It waits until that is current.
func (o *output) states(ctx context.Context, keys []string) ([]consent.State, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	states, err := o.cfg.lookup.Read(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("reading consent before the commit: %w", err)
	}
	if len(states) != len(keys) {
		return nil, fmt.Errorf("reading consent before the commit: %d states for %d subject keys", len(states), len(keys))
	}
	return states, nil
}

// judge denies the records that may no longer go.
func (o *output) judge(ctx context.Context, c *chunk, erased map[string]bool) error {
	var keys []string
	for i := range c.records {
		keys = append(keys, c.records[i].subjects()...)
	}
	states, err := o.states(ctx, keys)
	if err != nil {
		return err
	}
	rules, now := o.cfg.rules(), time.Now()
	for i := range c.records {
		r := &c.records[i]
		own := len(r.subjects())
		r.denied, r.gone = r.need.judge(states[:own], now, rules.unlessSuppressed)
		states = states[own:]
		for _, key := range r.subjects() {
			if erased[key] {
				r.denied = consent.ReasonErased
			}
		}
	}
	return nil
}

func (r *record) subjects() []string { return strings.Split(r.sealed.SubjectKey, ",") }

// require reads of every record what it relied on.
func (o *output) require(c *chunk) error {
	rules := o.cfg.rules()
	type key struct{ requires, class string }
	known := map[key]*requirement{}
	for i := range c.records {
		r := &c.records[i]
		k := key{r.sealed.Requires, r.sealed.Class}
		if known[k] == nil {
			requires, err := policy.ParseRequires(k.requires)
			if err != nil {
				return err
			}
			if known[k], err = newRequirement(requires, rules.storage[k.class]); err != nil {
				return err
			}
		}
		r.need = known[k]
	}
	return nil
}
