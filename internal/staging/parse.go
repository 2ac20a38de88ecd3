package staging

import (
	"strconv"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

// File is the name of the area's file in a workspace.
const File = "staging.yaml"

// defaultTombstones outlives what Stitch itself buffers, which is up to 30 days.
const defaultTombstones = "35d"

// Parse reads a staging.yaml. The error joins every problem, each with file, line, field and remedy.
func Parse(src []byte, file string) (*Area, error) {
	p := &parser{area: &Area{File: file}}
	docs := strict.Documents(file, src, &p.problems)
	switch {
	case len(docs) == 1:
		p.read(docs[0])
	case p.problems.Len() == 0:
		p.problems.Add(&strict.Problem{File: file, What: "holds " + strconv.Itoa(len(docs)) + " documents", Remedy: "write exactly one"})
	}
	if err := p.problems.Err(); err != nil {
		return nil, err
	}
	return p.area, nil
}

type parser struct {
	area     *Area
	problems strict.Problems
}

func (p *parser) read(doc strict.Node) {
	o := doc.Object("destination", "schema", "roles", "tombstones", "datasets")
	a := p.area
	a.Line = doc.Line()
	a.Destination = o.Require("destination", "name the destination of the policy that feeds the area").Name()
	a.Schema = orDefault(o.Get("schema"), "stitch_stage")
	roles := o.Get("roles")
	a.Owner, a.Writer, a.Reader = "stage_owner", "stage_writer", "stitch_reader"
	if roles.Exists() {
		r := roles.Object("owner", "writer", "reader")
		a.Owner, a.Writer, a.Reader = orDefault(r.Get("owner"), a.Owner), orDefault(r.Get("writer"), a.Writer), orDefault(r.Get("reader"), a.Reader)
		if a.Owner == a.Writer || a.Owner == a.Reader || a.Writer == a.Reader {
			roles.Bad("two roles are one", "the owner, the writer and the reader may do different things: name three roles")
		}
	}
	p.tombstones(o)
	for _, m := range o.Require("datasets", "declare the tables").Members() {
		p.dataset(m)
	}
	p.aggregates(o.Get("datasets"))
}

func orDefault(n strict.Node, fallback string) string {
	if !n.Exists() {
		return fallback
	}
	return n.Name()
}

func (p *parser) tombstones(o strict.Object) {
	n := o.Get("tombstones")
	if !n.Exists() {
		p.area.Tombstones = shippedTombstones
		return
	}
	p.area.Tombstones = n.Retention()
	if p.area.Tombstones != 0 && p.area.Tombstones < shippedTombstones {
		n.Bad("shorter than "+defaultTombstones, "Stitch may hold what it read for 30 days, and a deletion that it has not read is never seen: write "+defaultTombstones+" or more")
	}
}

func (p *parser) dataset(m strict.Member) {
	checkTable(m)
	o := m.Value.Object("kind", "description", "events", "key", "columns", "sensitivity", "latency", "retention",
		"of", "group_by", "minimum_subjects", "final_after")
	d := &Dataset{
		Name:        m.Key,
		Kind:        Kind(o.Require("kind", "say profile, fact, event or aggregate").OneOf(string(Profile), string(Fact), string(Event), string(Aggregate))),
		Description: o.Get("description").Text(),
		Sensitivity: o.Require("sensitivity", "say aggregate, pseudonymous or personal").OneOf(sensitivities...),
		Latency:     o.Require("latency", "say hourly or daily").OneOf(latencies...),
		Retention:   o.Require("retention", "say how long rows stay: 180d, or forever").Retention(),
		Line:        m.Value.Line(),
	}
	p.refuse(o, d)
	if d.Kind == Aggregate {
		p.aggregate(o, d)
	} else {
		p.rows(o, d)
	}
	p.area.Datasets = append(p.area.Datasets, d)
}

// rows reads what a dataset of rows has and an aggregate has not.
func (p *parser) rows(o strict.Object, d *Dataset) {
	for _, name := range []string{"of", "group_by", "minimum_subjects", "final_after"} {
		if n := o.Get(name); n.Exists() {
			n.Bad("is for aggregates", "remove it, or say kind: aggregate")
		}
	}
	d.Events = o.Require("events", "name the events that feed it").Texts(strict.Node.Name)
	key := o.Get("key")
	switch {
	case d.Kind == Fact:
		d.Key = o.Require("key", "name the paths that tell one fact from another, as in [subject.account_id]").Texts(path)
	case key.Exists():
		key.Bad("is for facts", "a "+string(d.Kind)+" is known by its "+d.PrimaryKey()+": remove it")
	}
	for _, m := range o.Require("columns", "name the columns").Members() {
		checkColumn(m, d.Kind)
		c := m.Value.Object("path", "type", "required")
		required := c.Get("required")
		d.Columns = append(d.Columns, &Column{
			Name:     m.Key,
			Path:     path(c.Require("path", "name the event path it is filled from, as in properties.plan")),
			Type:     columnType(m, c),
			Required: required.Exists() && required.Bool(),
			Line:     m.Value.Line(),
		})
	}
}

// path reads an event path. Whether events have it is for Check to say.
func path(n strict.Node) string {
	text := n.Text()
	if n.Exists() && !pathForm.MatchString(text) {
		n.Bad(strict.Quote(text)+" is no event path", "write it like properties.plan; a list is named without []")
		return ""
	}
	return text
}
