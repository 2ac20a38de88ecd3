package dialect

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

// Mapping says what the workspace's purposes are called in the dialects. A purpose that is not in it is never granted.
type Mapping struct {
	Purposes map[string]Purpose
	// Vendor is the workspace's own number on the IAB's vendor list. With it a TCF string grants only what it grants that
	// vendor; without it, zero, the purposes alone count.
	Vendor uint16
}

// Purpose is one purpose in the words of each dialect.
type Purpose struct {
	// Categories are ids of consent categories, or names of destinations. All must be granted; one of them where a
	// RudderStack event says resolutionStrategy or.
	Categories []string
	// TCF are IAB purposes, 1 to 24, that must all have consent.
	TCF []int
	// OptOuts are the US opt-outs that deny the purpose: sale, sharing, targeted_advertising.
	OptOuts []string
	// GPC is whether Global Privacy Control denies the purpose.
	GPC bool
}

const (
	maxCategories = 64 // a bit each
	maxTCFPurpose = 24
)

// optOut is a set of US opt-outs.
type optOut uint8

const (
	optOutSale optOut = 1 << iota
	optOutSharing
	optOutTargeted
)

var optOuts = map[string]optOut{"sale": optOutSale, "sharing": optOutSharing, "targeted_advertising": optOutTargeted}

// Rules are a mapping, compiled. They are immutable and safe for concurrent use.
type Rules struct {
	purposes   *consent.Purposes
	byPurpose  []rule
	categories map[string]uint64 // bit by id
	vendor     uint16
	mapped     consent.Mask // purposes the mapping knows
	byCategory consent.Mask // purposes that categories speak of
	byTCF      consent.Mask
	byOptOut   consent.Mask
	byGPC      consent.Mask
}

type rule struct {
	bit        consent.Mask
	categories uint64
	tcf        []int
	optOuts    optOut
}

// New compiles a mapping for the workspace's purposes. The error names the purpose and the remedy.
func New(purposes *consent.Purposes, m Mapping) (*Rules, error) {
	r := &Rules{purposes: purposes, categories: map[string]uint64{}, vendor: m.Vendor}
	for _, name := range slices.Sorted(maps.Keys(m.Purposes)) {
		bit, known := purposes.Bit(name)
		if !known {
			return nil, fmt.Errorf("mapping consent: purpose %q is not in the policy: map one of %q", name, purposes.Names())
		}
		if err := r.add(bit, m.Purposes[name]); err != nil {
			return nil, fmt.Errorf("mapping consent to purpose %q: %w", name, err)
		}
	}
	return r, nil
}

func (r *Rules) add(bit consent.Mask, p Purpose) error {
	one := rule{bit: bit, tcf: p.TCF}
	for _, id := range p.Categories {
		if _, known := r.categories[id]; !known {
			if len(r.categories) == maxCategories {
				return fmt.Errorf("more than %d categories: map fewer", maxCategories)
			}
			r.categories[id] = 1 << len(r.categories)
		}
		one.categories |= r.categories[id]
	}
	for _, number := range p.TCF {
		if number < 1 || number > maxTCFPurpose {
			return fmt.Errorf("%d is no TCF purpose: give 1 to %d", number, maxTCFPurpose)
		}
	}
	for _, name := range p.OptOuts {
		if optOuts[name] == 0 {
			return fmt.Errorf("%q is no US opt-out: give some of %q", name, slices.Sorted(maps.Keys(optOuts)))
		}
		one.optOuts |= optOuts[name]
	}
	r.mapped |= bit
	mark(&r.byCategory, bit, one.categories != 0)
	mark(&r.byTCF, bit, len(one.tcf) > 0)
	mark(&r.byOptOut, bit, one.optOuts != 0)
	mark(&r.byGPC, bit, p.GPC)
	r.byPurpose = append(r.byPurpose, one)
	return nil
}

func mark(set *consent.Mask, bit consent.Mask, is bool) {
	if is {
		*set |= bit
	}
}

// preferences are the objects below consent whose names are categories.
var preferences = []string{"categoryPreferences", "destinationPreferences", "optOut"}

// Paths are the governed paths of the dialects below the context that stands at path at, for event.NewDictionary: names that
// only look like them must not pass.
func (r *Rules) Paths(at string) []string {
	paths := []string{
		at + ".consent.explicit", at + ".consent.tcString", at + ".consent.gppString", at + ".consent.gpc",
		at + ".consentManagement.allowedConsentIds[]", at + ".consentManagement.deniedConsentIds[]",
		at + ".consentManagement.resolutionStrategy",
	}
	for _, object := range preferences {
		paths = append(paths, at+".consent."+object)
		for _, id := range slices.Sorted(maps.Keys(r.categories)) {
			paths = append(paths, at+".consent."+object+"."+id)
		}
	}
	return paths
}

// Reader returns a reader of contexts that stand at path at of events scanned with dict, which must know Paths.
func (r *Rules) Reader(dict *event.Dictionary, at string) (*Reader, error) {
	for _, path := range r.Paths(at) {
		if dict.Field(path) == event.NoField {
			return nil, fmt.Errorf("reading consent: the dictionary does not know %s", path)
		}
	}
	reader := &Reader{rules: r, category: make([]uint64, dict.Len())}
	for _, object := range preferences {
		for id, bit := range r.categories {
			reader.category[dict.Field(at+".consent."+object+"."+id)] = bit
		}
	}
	reader.fields = fields{
		consent:      dict.Field(at + ".consent"),
		categories:   dict.Field(at + ".consent.categoryPreferences"),
		destinations: dict.Field(at + ".consent.destinationPreferences"),
		explicit:     dict.Field(at + ".consent.explicit"),
		optOut:       dict.Field(at + ".consent.optOut"),
		tcf:          dict.Field(at + ".consent.tcString"),
		gpp:          dict.Field(at + ".consent.gppString"),
		gpc:          dict.Field(at + ".consent.gpc"),
		management:   dict.Field(at + ".consentManagement"),
		allowed:      dict.Field(at + ".consentManagement.allowedConsentIds"),
		denied:       dict.Field(at + ".consentManagement.deniedConsentIds"),
		strategy:     dict.Field(at + ".consentManagement.resolutionStrategy"),
	}
	return reader, nil
}
