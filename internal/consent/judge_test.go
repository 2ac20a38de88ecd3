package consent_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
)

// What somebody says of one purpose.
const (
	silent = iota
	no
	yes
)

var twoPurposes = []string{"analytics", "marketing"}

func purposes(t testing.TB, names ...string) *consent.Purposes {
	t.Helper()
	p, err := consent.NewPurposes(names...)
	require.NoError(t, err)
	return p
}

// statement is what an oracle needs of a claim or record: present or not, and a word per purpose.
type statement struct {
	present, unreadable bool
	says                [2]int
}

func statements(unreadable bool) []statement {
	list := []statement{{}}
	for a := silent; a <= yes; a++ {
		for m := silent; m <= yes; m++ {
			list = append(list, statement{present: true, says: [2]int{a, m}})
		}
	}
	if unreadable {
		list = append(list, statement{present: true, unreadable: true})
	}
	return list
}

func (s statement) claim(p *consent.Purposes, lookupOnly bool) consent.Claim {
	c := consent.Claim{Present: s.present, LookupOnly: lookupOnly}
	for i, name := range twoPurposes {
		bit, _ := p.Bit(name)
		if s.says[i] != silent {
			c.Stated |= bit
		}
		if s.says[i] == yes {
			c.Given |= bit
		}
	}
	return c
}

func (s statement) record(version int64) *consent.Record {
	if !s.present {
		return nil
	}
	r := &consent.Record{Version: version, Purposes: map[string]bool{}, Source: fmt.Sprint("record ", version), Unreadable: s.unreadable}
	for i, name := range twoPurposes {
		if s.says[i] != silent {
			r.Purposes[name] = s.says[i] == yes
		}
	}
	return r
}

// oracle says for one purpose whether it is held and, if not, why; in words, not in masks.
func oracle(purpose int, claim statement, lookupOnly bool, records []statement, erased bool) (bool, string) {
	name := twoPurposes[purpose]
	anyRecord, anyYes, anyNo, anyUnreadable := false, false, false, false
	for _, r := range records {
		anyRecord = anyRecord || r.present
		anyUnreadable = anyUnreadable || r.unreadable
		anyYes = anyYes || r.present && r.says[purpose] == yes
		anyNo = anyNo || r.present && r.says[purpose] == no
	}
	switch {
	case erased:
		return false, "erased"
	case anyUnreadable:
		return false, "consent.unreadable"
	case anyNo:
		return false, "consent.withdrawn." + name
	case claim.says[purpose] == no:
		return false, "consent." + name + "=false"
	case lookupOnly && anyYes, !lookupOnly && claim.says[purpose] == yes:
		return true, ""
	case lookupOnly && !anyRecord, !lookupOnly && !claim.present:
		return false, "consent.missing"
	}
	return false, "consent." + name + "=missing"
}

// TestJudgeTruthTable goes through every claim, by sources that can and cannot carry one, with every pair of states.
func TestJudgeTruthTable(t *testing.T) {
	p := purposes(t, twoPurposes...)
	suppressions := []*consent.Suppression{nil, {Version: 1}, {Version: 2, Lifted: true}, {Unreadable: true}}
	erasures := []*consent.Erasure{nil, {Epoch: 3, State: "fenced"}, {Unreadable: true}}
	cases := 0
	for _, claim := range statements(false) {
		for _, lookupOnly := range []bool{false, true} {
			for _, first := range statements(true) {
				for _, second := range statements(true) {
					for k := range len(suppressions) * len(erasures) {
						suppression, erasure := suppressions[k%len(suppressions)], erasures[k/len(suppressions)]
						states := []consent.State{{Consent: first.record(8)}, {Consent: second.record(9), Suppressed: suppression, Erased: erasure}}
						v := consent.Judge(p, claim.claim(p, lookupOnly), states, time.Time{})
						if v.Suppressed != (suppression != nil && !suppression.Lifted) || v.Erased != (erasure != nil) {
							t.Fatalf("suppressed %v, erased %v for %+v %+v", v.Suppressed, v.Erased, suppression, erasure)
						}
						for i, name := range twoPurposes {
							bit, _ := p.Bit(name)
							held, reason := oracle(i, claim, lookupOnly, []statement{first, second}, erasure != nil)
							if v.Holds(bit) != held || v.Reason(bit) != reason {
								t.Fatalf("%s: held %v (%s), want %v (%s) for claim %+v lookup %v records %+v %+v",
									name, v.Holds(bit), v.Reason(bit), held, reason, claim, lookupOnly, first, second)
							}
						}
						cases++
					}
				}
			}
		}
	}
	assert.Equal(t, 10*2*11*11*12, cases)
}

func TestJudgeWithoutStates(t *testing.T) {
	p := purposes(t, twoPurposes...)
	bit, _ := p.Bit("analytics")
	for _, claim := range statements(false) {
		for _, lookupOnly := range []bool{false, true} {
			v := consent.Judge(p, claim.claim(p, lookupOnly), nil, time.Time{})
			held, reason := oracle(0, claim, lookupOnly, nil, false)
			assert.Equal(t, held, v.Holds(bit), "%+v", claim)
			assert.Equal(t, reason, v.Reason(bit), "%+v", claim)
		}
	}
}

// TestJudgeOnlyTightens adds one more state to any verdict: nothing may be held afterwards that was not before, for a source that
// carries its consent.
func TestJudgeOnlyTightens(t *testing.T) {
	p := purposes(t, twoPurposes...)
	for _, claim := range statements(false) {
		for _, first := range statements(true) {
			before := consent.Judge(p, claim.claim(p, false), []consent.State{{Consent: first.record(1)}}, time.Time{})
			for _, second := range statements(true) {
				after := consent.Judge(p, claim.claim(p, false), []consent.State{{Consent: first.record(1)}, {Consent: second.record(2)}}, time.Time{})
				require.True(t, before.Held.Has(after.Held), "%+v %+v %+v", claim, first, second)
			}
		}
	}
}

func TestJudgeNamesTheDecidingRecord(t *testing.T) {
	p := purposes(t, twoPurposes...)
	at := time.Date(2026, 4, 13, 10, 0, 0, 0, time.UTC)
	given := statement{present: true, says: [2]int{yes, yes}}
	withdrawn := statement{present: true, says: [2]int{yes, no}}
	claim := given.claim(p, false)
	claim.Version = 5

	v := consent.Judge(p, claim, nil, at)
	assert.Equal(t, int64(5), v.Version, "without a record the claim's own version")
	assert.Empty(t, v.Source)
	assert.False(t, v.Recorded)
	assert.Equal(t, at, v.CheckedAt)

	v = consent.Judge(p, claim, []consent.State{{}, {Consent: given.record(8)}, {Consent: given.record(9)}}, at)
	assert.Equal(t, int64(8), v.Version, "the first record, where none denies")
	assert.Equal(t, "record 8", v.Source)
	assert.True(t, v.Recorded)

	v = consent.Judge(p, claim, []consent.State{{Consent: given.record(8)}, {Consent: withdrawn.record(3)}, {Consent: withdrawn.record(4)}}, at)
	assert.Equal(t, int64(3), v.Version, "the first record that denies")
}

func TestZeroVerdictHoldsNothing(t *testing.T) {
	var v consent.Verdict
	assert.False(t, v.Holds(1))
	assert.Equal(t, consent.ReasonMissing, v.Reason(1))
	assert.Equal(t, consent.ReasonMissing, v.Reason(0))
	v = consent.Verdict{Purposes: purposes(t, "analytics"), Held: 1}
	assert.Equal(t, consent.ReasonMissing, v.Reason(2), "a purpose of another list")
}

func TestJudgeDoesNotAllocate(t *testing.T) {
	p := purposes(t, twoPurposes...)
	states := []consent.State{{Consent: statement{present: true, says: [2]int{yes, no}}.record(8)}, {Suppressed: &consent.Suppression{}}}
	claim := statement{present: true, says: [2]int{yes, yes}}.claim(p, false)
	bit, _ := p.Bit("marketing")
	reason := ""
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		v := consent.Judge(p, claim, states, time.Time{})
		reason = v.Reason(bit)
	}))
	assert.Equal(t, "consent.withdrawn.marketing", reason)
}

func TestPurposes(t *testing.T) {
	p := purposes(t, "marketing", "analytics", "marketing")
	assert.Equal(t, []string{"analytics", "marketing"}, p.Names())
	assert.Equal(t, 2, p.Len())
	assert.Equal(t, consent.Mask(3), p.All())
	bit, ok := p.Bit("marketing")
	assert.True(t, ok)
	assert.Equal(t, consent.Mask(2), bit)
	_, ok = p.Bit("sales")
	assert.False(t, ok)
	assert.True(t, p.Equal(purposes(t, "analytics", "marketing")))
	assert.False(t, p.Equal(purposes(t, "analytics")))
	assert.False(t, p.Equal(nil))

	many := make([]string, consent.MaxPurposes)
	for i := range many {
		many[i] = fmt.Sprintf("p%02d", i)
	}
	full := purposes(t, many...)
	assert.Equal(t, ^consent.Mask(0), full.All())
	last, _ := full.Bit("p63")
	assert.Equal(t, consent.Mask(1)<<63, last)
	_, err := consent.NewPurposes(append(many, "one_more")...)
	assert.EqualError(t, err, "numbering purposes: 65 are declared, 64 are possible")
}

func BenchmarkJudge(b *testing.B) {
	p := purposes(b, twoPurposes...)
	states := []consent.State{{Consent: statement{present: true, says: [2]int{yes, no}}.record(8)}}
	claim := statement{present: true, says: [2]int{yes, yes}}.claim(p, false)
	b.ReportAllocs()
	for b.Loop() {
		consent.Judge(p, claim, states, time.Time{})
	}
}
