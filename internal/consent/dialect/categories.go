package dialect

import "github.com/ebbgate/ebbgate/internal/event"

// choices are categories as one dialect speaks of them.
type choices struct{ granted, denied uint64 }

func (c *choices) take(bit uint64, granted bool) {
	if granted {
		c.granted |= bit
	} else {
		c.denied |= bit
	}
}

// all is the verdict where a purpose needs every one of its categories.
func (r *Rules) all(c choices) (v verdict) {
	c.granted &^= c.denied
	for i := range r.byPurpose {
		switch p := &r.byPurpose[i]; {
		case p.categories == 0:
		case p.categories&c.denied != 0:
			v.refused |= p.bit
		case p.categories&^c.granted == 0:
			v.given |= p.bit
		}
	}
	return v
}

// any is the verdict where one of a purpose's categories is enough.
func (r *Rules) any(c choices) (v verdict) {
	c.granted &^= c.denied
	for i := range r.byPurpose {
		switch p := &r.byPurpose[i]; {
		case p.categories == 0:
		case p.categories&c.granted != 0:
			v.given |= p.bit
		case p.categories&^c.denied == 0:
			v.refused |= p.bit
		}
	}
	return v
}

// preferences reads an object of categories. What is not true is a refusal, whatever else it is.
func (r *Reader) preferences(object event.Value) verdict {
	if object.Kind() != event.Object {
		return verdict{refused: r.rules.byCategory}
	}
	var c choices
	object.Each(func(v event.Value) bool {
		c.take(r.category[v.Field()], v.Kind() == event.True)
		return true
	})
	return r.rules.all(c)
}

// metaRouter is MetaRouter's pair of members: codes the user opted out of, and whether anybody asked.
type metaRouter struct {
	explicit, present bool
	codes             event.Value
}

// optedOut reads the codes. Not having opted out is a grant only where the user was asked.
func (r *Reader) optedOut(m metaRouter) verdict {
	if m.codes.Kind() != event.Object {
		return verdict{refused: r.rules.byCategory}
	}
	var c choices
	m.codes.Each(func(v event.Value) bool {
		in := v.Kind() == event.False || v.Kind() == event.String && string(v.Raw()) == "false"
		if !in || m.explicit {
			c.take(r.category[v.Field()], in)
		}
		return true
	})
	return r.rules.all(c)
}

// managed reads RudderStack's object. Its lists hold ids; what is on neither was not asked. Any strategy but `or` is `and`.
func (r *Reader) managed(object event.Value) verdict {
	if object.Kind() != event.Object {
		return verdict{refused: r.rules.byCategory}
	}
	var c choices
	readable, either := true, false
	object.Each(func(v event.Value) bool {
		switch v.Field() {
		case event.NoField:
		case r.fields.allowed:
			readable = r.list(v, &c.granted) && readable
		case r.fields.denied:
			readable = r.list(v, &c.denied) && readable
		case r.fields.strategy:
			either = v.Kind() == event.String && string(v.Raw()) == "or"
		}
		return true
	})
	switch {
	case !readable:
		return verdict{refused: r.rules.byCategory}
	case either:
		return r.rules.any(c)
	}
	return r.rules.all(c)
}

// list adds the categories of a list of ids, and reports whether it is one.
func (r *Reader) list(v event.Value, into *uint64) bool {
	if v.Kind() == event.Null {
		return true
	}
	ok := v.Kind() == event.Array
	v.Each(func(id event.Value) bool {
		var scratch [64]byte
		*into |= r.rules.categories[string(id.Text(scratch[:0]))]
		ok = ok && id.Kind() == event.String
		return true
	})
	return ok
}
