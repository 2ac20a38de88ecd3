package workspace

import (
	"slices"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// staged checks the outputs that stage for a destination, and notes which destinations have one.
func (l *linter) staged(s stream, served map[string]bool) {
	for _, c := range s.all("output", "staging") {
		at := c.conf.get("destination")
		name, known := at.text()
		if !known {
			continue
		}
		served[name] = true
		if l.w.Policy == nil || l.w.Topics == nil {
			continue
		}
		if _, ok := l.w.Policy.Destination(name); !ok {
			l.refuse(s.at(at), "stream.destination", "no destination "+strict.Quote(name)+" in the policy", strict.Suggest(name, l.destinations()))
			continue
		}
		l.sweeps(s, at)
	}
}

// sweeps finds a staging stream that does not read the topics by which deletions reach rows that are there.
func (l *linter) sweeps(s stream, at value) {
	var read []string
	for _, c := range s.all("input", "redpanda") {
		for _, item := range c.conf.get("topics").items() {
			if name, known := item.text(); known {
				read = append(read, name)
			}
		}
	}
	for _, role := range []topics.Role{topics.Consent, topics.Suppression, topics.Erasures, topics.Identity} {
		topic, ok := l.w.Topics.ByRole(role)
		if ok && !slices.Contains(read, topic.Name) {
			l.refuse(s.at(at), "staging.state", "does not read "+topic.Name+", so what is said there would not reach rows that are staged",
				"add it to the topics of the stream's input")
		}
	}
}
