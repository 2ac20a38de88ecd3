package staging

import (
	"slices"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

// smallestCell is the least number of people an aggregate may tell of: below it a cell points at somebody.
const smallestCell = 5

func (p *parser) aggregate(o strict.Object, d *Dataset) {
	for _, name := range []string{"events", "key"} {
		if n := o.Get(name); n.Exists() {
			n.Bad("is for rows of events", "an aggregate counts another dataset: remove it, and name that with of")
		}
	}
	d.Of = o.Require("of", "name the event dataset it counts").Name()
	d.GroupBy = o.Require("group_by", "name the columns whose values make a cell").Texts(strict.Node.Name)
	d.MinimumSubjects = o.Require("minimum_subjects", "say how many people a cell must tell of to be shown, 5 or more").Int(smallestCell, 1_000_000)
	d.FinalAfter = o.Require("final_after", "say for how long a day may still change, as in 7d").Retention()
	for _, m := range o.Require("columns", "name what is counted").Members() {
		checkColumn(m, d.Kind)
		c := m.Value.Object("count", "sum", "subjects")
		column := &Column{Name: m.Key, Type: BigInt, Line: m.Value.Line()}
		said := 0
		if n := c.Get("count"); n.Exists() {
			said++
			if column.Count = n.Text(); column.Count != "*" {
				column.Count = n.Name()
			}
		}
		if n := c.Get("sum"); n.Exists() {
			said, column.Sum = said+1, n.Name()
		}
		if n := c.Get("subjects"); n.Exists() {
			said, column.Subjects = said+1, n.Bool()
		}
		if said != 1 {
			c.Bad("counts nothing, or several things", `write one of count: event_name, count: "*", sum: column and subjects: true`)
		}
		d.Columns = append(d.Columns, column)
	}
}

// aggregates holds aggregates against the datasets they count.
func (p *parser) aggregates(at strict.Node) {
	for _, m := range at.Members() {
		d, ok := p.area.Dataset(m.Key)
		if !ok || d.Kind != Aggregate {
			continue
		}
		o := m.Value.Object("kind", "description", "columns", "sensitivity", "latency", "retention", "of", "group_by", "minimum_subjects", "final_after")
		of, ok := p.area.Dataset(d.Of)
		if !ok || of.Kind != Event {
			o.Get("of").Bad("no dataset "+strict.Quote(d.Of)+" of kind event", strict.Suggest(d.Of, p.names(Event)))
			continue
		}
		for _, name := range d.GroupBy {
			if c, ok := of.Column(name); !ok || c.Type != Text {
				o.Get("group_by").Bad(strict.Quote(name)+" is no text column of "+of.Name, strict.Suggest(name, of.names(Text)))
			}
		}
		for _, c := range d.Columns {
			p.counts(o.Get("columns"), of, c)
			if slices.Contains(d.GroupBy, c.Name) {
				o.Get("columns").Bad(strict.Quote(c.Name)+" is a column of group_by as well", "name it otherwise")
			}
		}
	}
}

func (p *parser) counts(at strict.Node, of *Dataset, c *Column) {
	if c.Count != "" && c.Count != "*" && !slices.Contains(of.Events, c.Count) {
		at.Bad(of.Name+" has no event "+strict.Quote(c.Count), strict.Suggest(c.Count, of.Events))
	}
	if c.Sum != "" {
		if summed, ok := of.Column(c.Sum); !ok || summed.Type.SQL() != string(BigInt) {
			at.Bad(strict.Quote(c.Sum)+" is no bigint or micros column of "+of.Name, strict.Suggest(c.Sum, append(of.names(Micros), of.names(BigInt)...)))
		}
	}
}

func (p *parser) names(kind Kind) (names []string) {
	for _, d := range p.area.Datasets {
		if d.Kind == kind {
			names = append(names, d.Name)
		}
	}
	return names
}

func (d *Dataset) names(t Type) (names []string) {
	for _, c := range d.Columns {
		if c.Type == t {
			names = append(names, c.Name)
		}
	}
	return names
}
