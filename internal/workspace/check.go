package workspace

import (
	"slices"
	"strconv"
	"time"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/contract/strict"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// required are the topics without which no stage can run.
var required = []topics.Role{topics.Raw, topics.Validated, topics.Quarantine, topics.Decisions, topics.Consent, topics.Suppression, topics.Erasures, topics.Identity}

// check holds the files against each other.
func (w *Workspace) check(contracts *contract.Set) error {
	c := &checker{w: w, contracts: contracts}
	c.topics()
	c.retention()
	c.purposes()
	return c.problems.Err()
}

type checker struct {
	w         *Workspace
	contracts *contract.Set
	problems  strict.Problems
}

func (c *checker) add(file string, line int, field, what, remedy string) {
	c.problems.Add(&strict.Problem{File: file, Line: line, Field: field, What: what, Remedy: remedy})
}

func (c *checker) topics() {
	var names []string
	for _, d := range c.w.Policy.Destinations {
		names = append(names, d.Name)
		if _, ok := c.w.Topics.ByDestination(d.Name); !ok {
			c.add(d.File, d.Line, "destinations."+d.Name, "has no topic", "declare one in "+TopicsFile+" with destination: "+d.Name)
		}
	}
	for _, t := range c.w.Topics.All() {
		if t.Destination != "" && !slices.Contains(names, t.Destination) {
			c.add(TopicsFile, t.Line, "topics."+t.Name, "destination "+strict.Quote(t.Destination)+" is not in the policy",
				strict.Suggest(t.Destination, names))
		}
	}
	for _, role := range required {
		if _, ok := c.w.Topics.ByRole(role); !ok {
			c.add(TopicsFile, 0, "topics", "no topic has role "+string(role), "declare one")
		}
	}
}

// retention keeps destinations from holding events longer than their class allows.
func (c *checker) retention() {
	for _, d := range c.w.Policy.Destinations {
		shortest := c.shortest(d)
		if shortest == nil || shortest.Retention == 0 {
			continue
		}
		field := "destinations." + d.Name + ".retention"
		what := "longer than class " + shortest.Name + " allows, " + days(shortest.Retention)
		switch t, ok := c.w.Topics.ByDestination(d.Name); {
		case d.Retention > shortest.Retention:
			c.add(d.File, d.Line, field, what, "shorten it to that")
		case ok && (t.Retention == 0 || t.Retention > shortest.Retention):
			c.add(TopicsFile, t.Line, "topics."+t.Name+".retention", what, "shorten it to that")
		}
	}
}

// shortest is the class with the shortest retention among the events that may go to the destination.
func (c *checker) shortest(d *policy.Destination) *contract.Class {
	var going []*contract.Contract
	for _, one := range c.contracts.All() {
		if len(d.Events) == 0 || slices.Contains(d.Events, one.Event) {
			going = append(going, one)
		}
	}
	return shortestClass(going)
}

// shortestClass is the class of the contracts with the shortest retention; nil if all keep for ever.
func shortestClass(contracts []*contract.Contract) *contract.Class {
	var shortest *contract.Class
	for _, one := range contracts {
		if class := one.Class; class.Retention > 0 && (shortest == nil || class.Retention < shortest.Retention) {
			shortest = class
		}
	}
	return shortest
}

// purposes reports purposes of contracts that no destination has: a misspelt one would allow nothing and nobody would know why.
func (c *checker) purposes() {
	known := c.w.Policy.Purposes().Names()
	for _, path := range c.contracts.LeafPaths() {
		for _, p := range c.contracts.Leaf(path) {
			for _, purpose := range p.AllowedFor {
				if !slices.Contains(known, purpose) && p.Event != "" {
					c.add(p.File, p.Line, p.Path+".allowed_for", "no destination has purpose "+strict.Quote(purpose), strict.Suggest(purpose, known))
				}
			}
		}
	}
}

func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	return strconv.Itoa(int(d/time.Hour)) + "h"
}
