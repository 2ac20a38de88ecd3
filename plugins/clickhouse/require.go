package clickhouse

import (
	"fmt"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
)

// requirement is what a sealed record relied on, as its header ebbgate_requires says:
// "analytics;marketing=properties.utm_campaign,properties.utm_source".
type requirement struct {
	purposes *consent.Purposes
	whole    consent.Mask // the event goes only while these hold: purpose and storage
	purpose  consent.Mask // the destination's
	storage  consent.Mask // the class's, to be stored at all; 0 where that needs none
	gates    []gate
}

// gate is a purpose on which single fields depend.
type gate struct {
	purpose consent.Mask
	fields  []event.Field
}

// gateSet is a set of a requirement's gates, one bit each.
type gateSet uint64

const maxGates = 64

// needKey is what a requirement follows from: the header, and the class, which can name a purpose of its own.
type needKey struct{ requires, storage string }

// newRequirement reads the header. storage is the purpose the record's class needs to be stored at all, or empty. Field
// paths that dict does not know are returned as missing and the requirement is nil then: a field that cannot be found
// cannot be left out, so the dictionary has to grow first.
func newRequirement(header, storage string, dict *event.Dictionary) (need *requirement, missing []string, err error) {
	requires, err := policy.ParseRequires(header)
	if err != nil {
		return nil, nil, err
	}
	if len(requires.Fields) > maxGates {
		return nil, nil, fmt.Errorf("reading ebbgate_requires: more than %d purposes cannot be checked", maxGates)
	}
	names := []string{requires.Purpose}
	if storage != "" {
		names = append(names, storage)
	}
	for _, f := range requires.Fields {
		names = append(names, f.Purpose)
	}
	need = &requirement{}
	if need.purposes, err = consent.NewPurposes(names...); err != nil {
		return nil, nil, err
	}
	need.purpose = need.bit(requires.Purpose)
	if storage != "" {
		need.storage = need.bit(storage)
	}
	need.whole = need.purpose | need.storage
	for _, f := range requires.Fields {
		g := gate{purpose: need.bit(f.Purpose)}
		for _, path := range f.Paths {
			field := dict.Field(path)
			if field == event.NoField {
				missing = append(missing, path)
			}
			g.fields = append(g.fields, field)
		}
		need.gates = append(need.gates, g)
	}
	if len(missing) > 0 {
		return nil, missing, nil
	}
	return need, nil, nil
}

func (n *requirement) bit(name string) consent.Mask {
	mask, _ := n.purposes.Bit(name)
	return mask
}

// shut marks, in a table indexed by field, the fields behind the gates given.
func (n *requirement) shut(gone gateSet, closed []bool) {
	for i, g := range n.gates {
		if gone&(1<<i) == 0 {
			continue
		}
		for _, f := range g.fields {
			closed[f] = true
		}
	}
}
