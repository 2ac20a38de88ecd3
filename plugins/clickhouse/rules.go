package clickhouse

import (
	"fmt"

	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// exportRules is what the sink takes from one generation of policy and contracts.
type exportRules struct {
	// version is that of the policy whose lines decisions cite.
	version string
	// purposeRule and unlessRule are the lines of the destination that deny, as in policy.yaml:41.
	purposeRule, unlessRule string
	// unlessSuppressed refuses suppressed subjects, as the destination's policy says.
	unlessSuppressed bool
	// storage is, by class, the purpose that must hold to store its events at all.
	storage map[string]string
	// storageRule is, by class, the line that names that purpose.
	storageRule map[string]string
}

// followRules keeps a generation out of force that has no such destination any more: events for it are still on their way.
func followRules(rt *stage.Runtime, name string) (rules func() *exportRules, release func(), err error) {
	part, err := stage.NewPart(rt, func(r *stage.Rules) (*exportRules, error) {
		destination, ok := r.Policy.Destination(name)
		if !ok {
			return nil, fmt.Errorf("destination: the policy has no destination %q: name one of its destinations, or end this stream before the policy drops it", name)
		}
		rules := &exportRules{
			version: r.Policy.Version, purposeRule: destination.PurposeRule(), unlessRule: destination.UnlessRule(),
			unlessSuppressed: destination.UnlessSuppressed, storage: map[string]string{}, storageRule: map[string]string{},
		}
		for _, class := range r.Contracts.Classes() {
			if class.Storage != "none" {
				rules.storage[class.Name], rules.storageRule[class.Name] = class.Storage, policy.StorageRule(class)
			}
		}
		return rules, nil
	}, nil)
	if err != nil {
		return nil, nil, err
	}
	return func() *exportRules {
		_, rules := part.Now()
		return rules
	}, part.Close, nil
}
