package dialect

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// claim is one smallest thing that a client can say in one of the dialects.
type claim struct {
	dialect Dialects
	what    string // a category, an IAB string, a strategy
	yes     bool
}

var categoryDialects = []Dialects{Segment, ConsentManager, MetaRouter, RudderStack}

func drawClaims(t *rapid.T, dialects []Dialects) []claim {
	return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) claim {
		return claim{
			dialect: rapid.SampledFrom(dialects).Draw(t, "dialect"),
			what:    rapid.SampledFrom([]string{"Analytics", "Advertising", "C0004", "Other"}).Draw(t, "category"),
			yes:     rapid.Bool().Draw(t, "yes"),
		}
	}), 0, 8, func(c claim) string { return fmt.Sprint(c.dialect, c.what) }).Draw(t, "claims")
}

// spell writes the claims as a context.
func spell(claims []claim, strategy, tcf string) string {
	objects := map[Dialects][]string{}
	lists := map[bool][]string{}
	for _, c := range claims {
		switch c.dialect {
		case RudderStack:
			lists[c.yes] = append(lists[c.yes], `"`+c.what+`"`)
		case MetaRouter:
			objects[MetaRouter] = append(objects[MetaRouter], fmt.Sprintf(`%q:"%t"`, c.what, !c.yes))
		default:
			objects[c.dialect] = append(objects[c.dialect], fmt.Sprintf(`%q:%t`, c.what, c.yes))
		}
	}
	consent := fmt.Sprintf(`"categoryPreferences":{%s},"destinationPreferences":{%s},"explicit":"true","optOut":{%s}`,
		strings.Join(objects[Segment], ","), strings.Join(objects[ConsentManager], ","), strings.Join(objects[MetaRouter], ","))
	if tcf != "" {
		consent += fmt.Sprintf(`,"tcString":%q`, tcf)
	}
	return fmt.Sprintf(`{"consent":{%s},"consentManagement":{"resolutionStrategy":%q,"allowedConsentIds":[%s],"deniedConsentIds":[%s]}}`,
		consent, strategy, strings.Join(lists[true], ","), strings.Join(lists[false], ","))
}

func drawStrategy(t *rapid.T) string {
	return rapid.SampledFrom([]string{"and", "or", "", "OR"}).Draw(t, "strategy")
}

// TestLessInformationNeverGrantsMore: within a dialect whatever is left out, and over dialects every yes that is left out.
func TestLessInformationNeverGrantsMore(t *testing.T) {
	h := newHouse(t, testMapping)
	rapid.Check(t, func(t *rapid.T) {
		dialects := categoryDialects
		alone := rapid.Bool().Draw(t, "alone")
		if alone {
			dialects = []Dialects{rapid.SampledFrom(categoryDialects).Draw(t, "dialect")}
		}
		claims, strategy := drawClaims(t, dialects), drawStrategy(t)
		all, _ := h.read(spell(claims, strategy, ""), false)
		for i, left := range claims {
			fewer, _ := h.read(spell(slices.Delete(slices.Clone(claims), i, i+1), strategy, ""), false)
			if alone || left.yes {
				require.True(t, all.Given.Has(fewer.Given), "without %+v more is granted", left)
			}
		}
		unstated, _ := h.read(spell(claims, "", ""), false)
		require.True(t, all.Given.Has(unstated.Given), "without its strategy")
		nothing, _ := h.read(spell(nil, strategy, ""), false)
		require.Zero(t, nothing.Given)
	})
}

// TestOneNoIsEnough: whatever else is said, a no to a purpose's every category, to GPC or to TCF denies it.
func TestOneNoIsEnough(t *testing.T) {
	h := newHouse(t, testMapping)
	marketing, _ := h.rules.purposes.Bit("marketing")
	rapid.Check(t, func(t *rapid.T) {
		claims, strategy := drawClaims(t, categoryDialects), drawStrategy(t)
		everything := tcString([]int{3, 4, 8}, nil)
		before, _ := h.read(spell(claims, strategy, everything), false)

		withGPC, _ := h.read(spell(claims, strategy, everything), true)
		require.True(t, before.Given.Has(withGPC.Given))
		require.False(t, withGPC.Given.Has(marketing))

		withTCF, _ := h.read(spell(claims, strategy, tcString([]int{8}, nil)), false)
		require.True(t, before.Given.Has(withTCF.Given))
		require.False(t, withTCF.Given.Has(marketing))

		d := rapid.SampledFrom(categoryDialects).Draw(t, "objects")
		var with []claim
		for _, c := range claims {
			if c.dialect != d || c.what == "Other" {
				with = append(with, c)
			}
		}
		with = append(with, claim{d, "Advertising", false}, claim{d, "C0004", false})
		objected, _ := h.read(spell(with, strategy, everything), false)
		require.False(t, objected.Given.Has(marketing), "%s objects", d.append(nil))
	})
}

// TestDamageOutsideThePurposesGrantsNothing: a string without consent is not made one by damage
// outside the bits of its purposes.
func TestDamageOutsideThePurposesGrantsNothing(t *testing.T) {
	h := newHouse(t, testMapping)
	none := tcString(nil, []int{1, 2, 3})
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(none)
		at := rapid.IntRange(0, len(text)-1).Filter(func(i int) bool { return i < 152/6 || i > 175/6 }).Draw(t, "at")
		text[at] = rapid.SampledFrom([]byte(base64URL)).Draw(t, "to")
		s, _ := h.read(`{"consent":{"tcString":"`+string(text)+`"}}`, false)
		require.Zero(t, s.Given)
	})
}
