package workspace

import (
	"slices"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// told finds what events tell of their subjects and nobody may write down: the validate stage would wait for ever.
func (l *linter) told() {
	quarantine, _ := l.w.Topics.ByRole(topics.Quarantine)
	validated, _ := l.w.Topics.ByRole(topics.Validated)
	for _, what := range []struct {
		role  topics.Role
		tells func(*contract.Contract) bool
		key   string
	}{
		{topics.Consent, func(c *contract.Contract) bool { return c.Choice }, "consent: choice"},
		{topics.Suppression, func(c *contract.Contract) bool { return len(c.Suppressions) > 0 }, "suppresses"},
	} {
		topic, declared := l.w.Topics.ByRole(what.role)
		at := slices.IndexFunc(l.contracts.All(), what.tells)
		if !declared || at < 0 {
			continue
		}
		for _, user := range validated.Write {
			replays := slices.Contains(quarantine.Read, user) // and judges nothing
			if !replays && !slices.Contains(topic.Write, user) {
				l.refuse(place{TopicsFile, topic.Line, "topics." + topic.Name + ".write"}, "topics.told",
					user+" judges events that tell of it ("+what.key+" in "+l.contracts.All()[at].File+") and may not write it",
					"add "+user+", as who may write "+validated.Name)
			}
		}
	}
}

// suppressing are the properties by which contracts tell that somebody must not be contacted: they are of use where they go nowhere.
func suppressing(set *contract.Set) map[string]bool {
	used := map[string]bool{}
	for _, c := range set.All() {
		for _, s := range c.Suppressions {
			for _, m := range s.When {
				used[c.Event+" "+m.Path] = true
			}
		}
	}
	return used
}
