package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/policy"
)

// Table is the table the shipped schema keeps events in.
const Table = "events"

// envelope are the columns every event view starts with, as the table has them.
var envelope = []ViewColumn{
	{"event_id", "String", "Identity of the event"},
	{"timestamp", "DateTime64(3, 'UTC')", "When the user acted"},
	{"received_at", "DateTime64(3, 'UTC')", "When the event reached the door"},
	{"user_id", "String", "Token of the user, empty when unknown"},
	{"account_id", "String", "Token of the account, empty when unknown"},
	{"anonymous_id", "String", "Token of the visitor, empty when unknown"},
	{"source", "LowCardinality(String)", "What sent the event"},
	{"schema_version", "LowCardinality(String)", "Version of the contract it was sent under"},
}

// EventViews makes one typed view per event that the destination may have. A property is a column where the policy
// lets it through, of the type it has after its transform; what may be missing is Nullable. Of several versions of a
// contract the newest describes a property.
func EventViews(contracts []*contract.Contract, destination *policy.Destination) []View {
	byEvent := map[string][]*contract.Contract{}
	var events []string
	for _, c := range contracts {
		if len(destination.Events) > 0 && !slices.Contains(destination.Events, c.Event) {
			continue
		}
		if byEvent[c.Event] == nil {
			events = append(events, c.Event)
		}
		byEvent[c.Event] = append(byEvent[c.Event], c)
	}
	g := &generator{rules: map[string]*policy.Rule{}}
	for _, r := range destination.Rules {
		g.rules[r.Path] = r
	}
	slices.Sort(events)
	views := make([]View, 0, len(events))
	for _, event := range events {
		views = append(views, g.view(event, byEvent[event]))
	}
	return views
}

type generator struct{ rules map[string]*policy.Rule }

// view makes the view of an event from its contracts, oldest first.
func (g *generator) view(event string, versions []*contract.Contract) View {
	newest := versions[len(versions)-1]
	b := &viewBuilder{generator: g, taken: map[string]bool{}}
	for _, c := range envelope {
		b.add(c, clickhouse.Quote(c.Name))
	}
	for _, c := range slices.Backward(versions) {
		b.properties(c.Properties, nil)
	}
	return View{
		Name:    event,
		Comment: fmt.Sprintf("%s (%s, version %s)", newest.Description, newest.Class.Name, newest.Version),
		Columns: b.columns,
		Select: "SELECT\n    " + strings.Join(b.exprs, ",\n    ") +
			"\nFROM\n(\n    SELECT * FROM " + Table + " WHERE event_name = " + clickhouse.Literal(event) +
			"\n    ORDER BY event_id, inserted_at, topic, partition, offset LIMIT 1 BY event_id\n)",
	}
}

type viewBuilder struct {
	*generator
	columns []ViewColumn
	exprs   []string
	taken   map[string]bool
	paths   map[string]bool
}

func (b *viewBuilder) add(c ViewColumn, expr string) {
	b.taken[c.Name] = true
	b.columns = append(b.columns, c)
	b.exprs = append(b.exprs, expr+" AS "+clickhouse.Quote(c.Name))
}

// properties adds what an object's properties give; parents are the names above.
func (b *viewBuilder) properties(list []*contract.Property, parents []string) {
	for _, p := range list {
		names := append(slices.Clone(parents), p.Name)
		switch {
		case p.Type == contract.Object:
			b.properties(p.Properties, names)
		case p.Type == contract.Array && p.Items == contract.Object:
			b.tuples(p, names)
		default:
			b.leaf(p, names)
		}
	}
}

func (b *viewBuilder) leaf(p *contract.Property, names []string) {
	rule, typ, ok := b.kept(p)
	if !ok || !b.claim(p.Path) {
		return
	}
	column := ViewColumn{Name: b.name(names), Comment: comment(p.Description, rule)}
	at := jsonPath(names)
	switch {
	case p.Type == contract.Array:
		column.Type = "Array(" + scalarType(typ) + ")"
		b.add(column, "JSONExtract("+at+", '"+column.Type+"')")
	case typ == contract.JSON:
		column.Type = "String"
		b.add(column, "JSONExtractRaw("+at+")")
	case typ == contract.Timestamp:
		column.Type = "Nullable(DateTime64(3, 'UTC'))"
		b.add(column, "parseDateTime64BestEffortOrNull(JSONExtractString("+at+"), 3, 'UTC')")
	default:
		column.Type = "Nullable(" + scalarType(typ) + ")"
		b.add(column, "JSONExtract("+at+", '"+column.Type+"')")
	}
}

// tuples makes a list of objects one column of named tuples.
func (b *viewBuilder) tuples(p *contract.Property, names []string) {
	var parts []string
	for _, member := range p.Properties {
		_, typ, ok := b.kept(member)
		if !ok || !typ.Scalar() || member.Type == contract.Array {
			continue
		}
		parts = append(parts, clickhouse.Quote(member.Name)+" Nullable("+scalarType(typ)+")")
	}
	if len(parts) == 0 || !b.claim(p.Path) {
		return
	}
	typ := "Array(Tuple(" + strings.Join(parts, ", ") + "))"
	b.add(ViewColumn{Name: b.name(names), Type: typ, Comment: p.Description},
		"JSONExtract("+jsonPath(names)+", "+clickhouse.Literal(typ)+")")
}

// kept tells whether the policy lets the property through, and as which type.
func (g *generator) kept(p *contract.Property) (*policy.Rule, contract.Type, bool) {
	rule, ok := g.rules[p.LeafPath()]
	if !ok || rule.Op == policy.Drop {
		return nil, 0, false
	}
	typ := p.LeafType()
	if rule.Op == policy.Transform && rule.Transform != "truncate_time" {
		typ = contract.String // every other transform gives a label, a token or a text
	}
	return rule, typ, true
}

// claim is false for a path that a newer version has described.
func (b *viewBuilder) claim(path string) bool {
	if b.paths == nil {
		b.paths = map[string]bool{}
	}
	if b.paths[path] {
		return false
	}
	b.paths[path] = true
	return true
}

// name joins the names of a path and steps out of the way of columns that are taken.
func (b *viewBuilder) name(names []string) string {
	name := strings.Join(names, "_")
	for b.taken[name] {
		name = "property_" + name
	}
	return name
}

func comment(description string, rule *policy.Rule) string {
	if rule.Op == policy.Transform {
		description += " [" + rule.Text + "]"
	}
	if rule.Requires != "" {
		description += " [only with consent to " + rule.Requires + "]"
	}
	return strings.TrimSpace(description)
}

func scalarType(t contract.Type) string {
	switch t {
	case contract.Integer:
		return "Int64"
	case contract.Number:
		return "Float64"
	case contract.Boolean:
		return "Bool"
	}
	return "String"
}

func jsonPath(names []string) string {
	path := "properties"
	for _, name := range names {
		path += ", " + clickhouse.Literal(name)
	}
	return path
}
