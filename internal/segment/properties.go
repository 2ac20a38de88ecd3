package segment

import "github.com/ebbgate/ebbgate/internal/event"

// appendProperties writes the members of the properties: the call's own, less what a browser may not send, and then those
// the contract has a place for and the call does not have.
func (r *Reader) appendProperties(dst []byte, c *call, o *Outcome) []byte {
	if c.typ == Alias {
		return appendText(dst, `"previous_id":`, c.previous)
	}
	f := filter{}
	if c.plan != nil && c.source.Browser {
		f.serverOnly = c.plan.serverOnly
	}
	var has uint32 // lifts that the call fills itself
	if c.properties != 0 {
		nodes := r.ix.Nodes
		for i := c.properties + 1; i < nodes[c.properties].Next; i = nodes[i].Next {
			if c.plan != nil {
				has |= 1 << c.plan.liftOf[nodes[i].Field]
			}
			dst = f.appendMember(dst, r.ix.At(int(i)))
		}
	}
	o.Removed = f.removed
	if c.plan == nil {
		return dst
	}
	for i := range c.plan.lifts {
		if l := &c.plan.lifts[i]; has&(2<<i) == 0 && !(l.serverOnly && c.source.Browser) {
			dst = appendText(dst, l.key, r.either(l.from, nil))
		}
	}
	return dst
}

// filter writes values without the properties that only a server may send, and counts those.
type filter struct {
	serverOnly []bool // by event.Field; nil lets everything through
	removed    int
}

func (f *filter) appendMember(dst []byte, v event.Value) []byte {
	if f.serverOnly == nil {
		return event.AppendMember(comma(dst), v)
	}
	if f.serverOnly[v.Field()] {
		f.removed++
		return dst
	}
	return f.appendValue(append(event.AppendKey(comma(dst), v), ':'), v)
}

func (f *filter) appendValue(dst []byte, v event.Value) []byte {
	switch v.Kind() {
	case event.Object:
		dst = append(dst, '{')
		v.Each(func(member event.Value) bool {
			dst = f.appendMember(dst, member)
			return true
		})
		return append(dst, '}')
	case event.Array:
		dst = append(dst, '[')
		first := true
		v.Each(func(element event.Value) bool {
			if !first {
				dst = append(dst, ',')
			}
			dst, first = f.appendValue(dst, element), false
			return true
		})
		return append(dst, ']')
	}
	return event.AppendValue(dst, v)
}
