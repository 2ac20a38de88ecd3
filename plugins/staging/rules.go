package staging

import (
	"fmt"

	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/staging"
)

// exportRules is what the sink takes from one generation of policy and contracts.
type exportRules struct {
	policy           string // its version
	unlessSuppressed bool
	// storage is, by class, the purpose that must hold to store its events at all.
	storage map[string]string
	// requires is what a row of the destination relies on, whatever event filled it.
	requires policy.Requires
	// classes are those of each dataset's events: a profile is made of several.
	classes map[string][]string
}

// followRules keeps a generation out of force that the staging area does not fit.
func followRules(rt *stage.Runtime, area *staging.Area) (rules func() *exportRules, release func(), err error) {
	part, err := stage.NewPart(rt, func(r *stage.Rules) (*exportRules, error) { return newRules(r, area) }, nil)
	if err != nil {
		return nil, nil, err
	}
	return func() *exportRules {
		_, rules := part.Now()
		return rules
	}, part.Close, nil
}

func newRules(r *stage.Rules, area *staging.Area) (*exportRules, error) {
	destination, ok := r.Policy.Destination(area.Destination)
	if !ok {
		return nil, fmt.Errorf("destination: the policy has no destination %q: name one of its destinations, or end this stream before the policy drops it", area.Destination)
	}
	if err := area.Check(r.Contracts, r.Policy); err != nil {
		return nil, err
	}
	rules := &exportRules{
		policy: r.Policy.Version, unlessSuppressed: destination.UnlessSuppressed,
		storage: map[string]string{}, classes: map[string][]string{}, requires: policy.Requires{Purpose: destination.Purpose},
	}
	for _, class := range r.Contracts.Classes() {
		if class.Storage != "none" {
			rules.storage[class.Name] = class.Storage
		}
	}
	for _, rule := range destination.Rules {
		if rule.Requires != "" {
			rules.requires.Fields = append(rules.requires.Fields, policy.FieldRequires{Purpose: rule.Requires, Paths: []string{rule.Path}})
		}
	}
	for _, d := range area.Datasets {
		for _, c := range r.Contracts.All() {
			for _, event := range d.Events {
				if c.Event == event {
					rules.classes[d.Name] = append(rules.classes[d.Name], c.Class.Name)
				}
			}
		}
	}
	return rules, nil
}

// needOf is what a row that is there already needs, by the rules in force. A profile holds what events of several classes
// said, so all of their purposes must hold.
func (r *exportRules) needOf(d *staging.Dataset, class string) (*requirement, error) {
	classes := []string{class}
	if d.Kind == staging.Profile {
		classes = r.classes[d.Name]
	}
	var storage []string
	for _, c := range classes {
		storage = append(storage, r.storage[c])
	}
	return newRequirement(r.requires, storage...)
}
