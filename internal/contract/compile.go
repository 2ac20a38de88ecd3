package contract

import "github.com/ebbgate/ebbgate/internal/event"

// check is what the contract says of one field, compiled.
type check struct {
	declared  bool
	required  bool
	typ       Type  // of the value itself; an array's elements are fields of their own
	plain     uint8 // bit per event.Kind that needs no further look
	unlike    uint8 // node flags that a plain value must not have
	maxLength int
	enum      []string
	children  []event.Field // required fields directly inside an object
}

type checks struct {
	dict   *event.Dictionary
	fields []check // by event.Field
}

func compileChecks(c *Contract, dict *event.Dictionary) *checks {
	k := &checks{dict: dict, fields: make([]check, dict.Len())}
	for f := event.EventName; f < event.NumEnvelopeFields; f++ {
		k.fields[f].declared = true
	}
	k.fields[event.Properties].typ = Object
	k.fields[event.Properties].children = k.add(c.Properties)
	return k
}

func (k *checks) add(list []*Property) (required []event.Field) {
	for _, p := range list {
		f := k.dict.Field(p.Path)
		if f == event.NoField {
			continue
		}
		one := check{declared: true, required: p.Required, typ: p.Type}
		if p.Required {
			required = append(required, f)
		}
		switch {
		case p.Type == Array:
			element := check{declared: true, typ: p.Items, maxLength: p.MaxLength, enum: p.Enum}
			element.children = k.add(p.Properties)
			element.settle()
			k.fields[k.dict.Field(p.Path+"[]")] = element
		case p.Type == Object:
			one.children = k.add(p.Properties)
		default:
			one.maxLength, one.enum = p.MaxLength, p.Enum
			one.settle()
		}
		k.fields[f] = one
	}
	return required
}

// settle marks the values whose kind alone shows that they are right, which most are.
func (c *check) settle() {
	if c.maxLength > 0 || c.enum != nil {
		return
	}
	switch c.typ {
	case String:
		c.plain = 1 << event.String
	case Integer:
		c.plain, c.unlike = 1<<event.Number, event.Fractional
	case Number:
		c.plain = 1 << event.Number
	case Boolean:
		c.plain = 1<<event.True | 1<<event.False
	}
}

func (c *check) settled(n *event.Node) bool { return c.plain>>n.Kind&1 != 0 && n.Flags&c.unlike == 0 }
