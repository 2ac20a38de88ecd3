package contract

import (
	"slices"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
	"github.com/ebbgate/ebbgate/internal/event"
)

// Suppression is one way in which an event tells that its subject must not be contacted.
type Suppression struct {
	When     []Match // all of them hold
	Reason   string
	Channels []string // empty: all
	Line     int
}

// Match holds of an event whose property is one of the texts.
type Match struct {
	Path   string
	Values []string

	field event.Field
}

// Suppresses returns the first suppression the event tells of, and nil where it tells of none.
func (c *Contract) Suppresses(ix *event.Index) *Suppression {
	for i := range c.Suppressions {
		if s := &c.Suppressions[i]; s.holds(ix) {
			return s
		}
	}
	return nil
}

func (s *Suppression) holds(ix *event.Index) bool {
	var scratch [128]byte
	for i := range s.When {
		v, ok := ix.Get(s.When[i].field)
		if !ok || v.Kind() != event.String || !oneOf(v.Text(scratch[:0]), s.When[i].Values) {
			return false
		}
	}
	return true
}

// bindSuppressions returns them with their properties as dict numbers them.
func bindSuppressions(list []Suppression, dict *event.Dictionary) []Suppression {
	bound := slices.Clone(list)
	for i := range bound {
		bound[i].When = slices.Clone(bound[i].When)
		for j := range bound[i].When {
			m := &bound[i].When[j]
			m.field = dict.Field(m.Path)
		}
	}
	return bound
}

func readSuppressions(n strict.Node, c *Contract) {
	if !n.Exists() {
		return
	}
	for _, item := range n.List() {
		o := item.Object("when", "reason", "channels")
		s := Suppression{
			Reason:   o.Require("reason", "say why: reason: unsubscribe").Name(),
			Channels: o.Get("channels").Texts(strict.Node.Name),
			Line:     item.Line(),
		}
		if when := o.Get("when"); when.Exists() {
			for _, m := range when.Members() {
				s.When = append(s.When, readMatch(m, c))
			}
		}
		c.Suppressions = append(c.Suppressions, s)
	}
}

func readMatch(m strict.Member, c *Contract) Match {
	at := slices.IndexFunc(c.Properties, func(p *Property) bool { return p.Name == m.Key })
	if at < 0 || c.Properties[at].Type != String {
		m.Value.Bad("is no property of the contract that is a text", "name one of type: string that stands directly below properties")
		return Match{}
	}
	p := c.Properties[at]
	values := m.Value.Texts(strict.Node.Text)
	if len(values) == 0 {
		m.Value.Bad("lists no value", "list at least one")
	}
	for _, value := range values {
		if p.Enum != nil && !slices.Contains(p.Enum, value) {
			m.Value.Bad("the property is never "+strict.Quote(value), strict.Suggest(value, p.Enum))
		}
	}
	return Match{Path: p.Path, Values: values}
}
