package staging

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/contract/strict"
	"github.com/ebbgate/ebbgate/internal/policy"
)

// Check holds the area against the contracts and the policy. A column that the policy lets nothing into is a mistake of
// one of the two files, and the person who finds it empty in the warehouse months later would not know of which.
func (a *Area) Check(contracts *contract.Set, p *policy.Policy) error {
	c := &checker{area: a, contracts: contracts}
	d, ok := p.Destination(a.Destination)
	switch {
	case !ok:
		c.add(a.Line, "destination", "the policy has no destination "+strict.Quote(a.Destination), "name one of its destinations")
		return c.problems.Err()
	case d.Kind != "warehouse":
		c.add(a.Line, "destination", "the policy says kind: "+d.Kind+" of "+d.Name, "name a destination of kind warehouse")
	}
	c.destination = d
	for _, path := range []string{"event_name", "timestamp"} {
		c.allowed(a.Line, "destination", path)
	}
	c.covered()
	for _, set := range a.Datasets {
		c.dataset(set)
	}
	return c.problems.Err()
}

// covered finds events that may go and that no dataset takes: they would be authorized for nothing.
func (c *checker) covered() {
	going := c.destination.Events
	if len(going) == 0 {
		going = c.contracts.Events()
	}
	for _, event := range going {
		if !slices.ContainsFunc(c.area.Datasets, func(d *Dataset) bool { return slices.Contains(d.Events, event) }) {
			c.add(c.area.Line, "datasets", "no dataset takes "+event+", which the policy lets go to "+c.destination.Name, "add it to a dataset's events, or take it out of the destination's")
		}
	}
}

type checker struct {
	area        *Area
	contracts   *contract.Set
	destination *policy.Destination
	problems    strict.Problems
}

func (c *checker) add(line int, field, what, remedy string) {
	c.problems.Add(&strict.Problem{File: c.area.File, Line: line, Field: field, What: what, Remedy: remedy})
}

func (c *checker) dataset(d *Dataset) {
	field := "datasets." + d.Name
	if most := c.destination.Retention; most != 0 && (d.Retention == 0 || d.Retention > most) {
		c.add(d.Line, field+".retention", "longer than the policy lets "+c.destination.Name+" keep anything, "+days(most), "shorten it to that")
	}
	for _, event := range d.Events {
		switch {
		case !c.contracts.Knows(event):
			c.add(d.Line, field+".events", "no contract for "+strict.Quote(event), strict.Suggest(event, c.contracts.Events()))
		case len(c.destination.Events) > 0 && !slices.Contains(c.destination.Events, event):
			c.add(d.Line, field+".events", "the policy lets no "+event+" go to "+c.destination.Name, "add it to the destination's events, or remove it here")
		}
	}
	for _, path := range d.Key {
		c.allowed(d.Line, field+".key", path)
	}
	for _, col := range d.Columns {
		if col.Path != "" {
			c.column(d, col)
		}
	}
}

// allowed finds the rule by which the policy lets a path through.
func (c *checker) allowed(line int, field, path string) *policy.Rule {
	for _, rule := range c.destination.Rules {
		below := strings.HasPrefix(rule.Path, path+".") || strings.HasPrefix(rule.Path, path+"[]")
		if rule.Op != policy.Drop && (rule.Path == path || below) {
			return rule
		}
	}
	c.add(line, field, "the policy lets no "+path+" go to "+c.destination.Name, "list it there, or remove it here")
	return nil
}

func (c *checker) column(d *Dataset, col *Column) {
	field := "datasets." + d.Name + ".columns." + col.Name
	rule := c.allowed(col.Line, field, col.Path)
	if rule == nil {
		return
	}
	for _, p := range c.contracts.Leaf(col.Path) {
		if p.Event != "" && !slices.Contains(d.Events, p.Event) {
			continue
		}
		c.fits(d, col, rule, p)
	}
}

func (c *checker) fits(d *Dataset, col *Column, rule *policy.Rule, p *contract.Property) {
	field := "datasets." + d.Name + ".columns." + col.Name
	if p.Classification.Guarded() && rule.Op == policy.Keep && d.Sensitivity != "personal" {
		c.add(col.Line, field, p.Classification.String()+" and kept as it is, in a dataset that calls itself "+d.Sensitivity,
			"say sensitivity: personal, or let the policy transform it")
	}
	if rule.Op != policy.Keep {
		return
	}
	if types, known := fitting[p.LeafType().String()]; known && !slices.Contains(types, col.Type) {
		c.add(col.Line, field, "the contract of "+p.Event+" says "+p.LeafType().String()+", which is no "+string(col.Type), "use "+string(types[0]))
	}
}

// fitting lists, by the contract's type, what a column may be, the usual one first.
var fitting = map[string][]Type{
	"string":    {Text},
	"integer":   {BigInt, Integer, Micros, Text},
	"number":    {Micros, Text},
	"boolean":   {Boolean, Text},
	"timestamp": {Timestamp, Date, Text},
	"date":      {Date, Text},
}

func days(d time.Duration) string { return strconv.Itoa(int(d/day)) + "d" }
