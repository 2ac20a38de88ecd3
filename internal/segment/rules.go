package segment

import "github.com/ebbgate/ebbgate/internal/event"

const maxEventName = 128 // bytes, as event.CheckEnvelope has it

// consentUpdated is the name Segment reserves for a choice of consent.
const consentUpdated = "Segment Consent Preference Updated"

// readName finds the event's name by the type of call.
func (r *Reader) readName(c *call) *event.Fault {
	r.name = r.name[:0]
	switch c.typ {
	case Track:
		return r.readEvent(c)
	case Page, Screen:
		r.name = append(append(r.name, c.typ.String()...), "_viewed"...)
	case Identify, Group, Alias:
		r.name = append(r.name, c.typ.String()...)
	default:
		return faultUnknownType
	}
	return c.source.allows(r.name)
}

func (r *Reader) readEvent(c *call) *event.Fault {
	at := r.at[sEvent]
	if at == 0 {
		return faultEventMissing
	}
	v := r.ix.At(int(at))
	if v.Kind() != event.String {
		return faultEventType
	}
	text := v.Text(nil)
	r.name = appendName(r.name, text)
	switch {
	case len(r.name) == 0:
		return faultEventMissing
	case len(r.name) > maxEventName:
		return faultEventName
	case string(text) == consentUpdated:
		preferences := r.at[sPreferences]
		if preferences == 0 || r.ix.Nodes[preferences].Kind != event.Object {
			return faultNoPreferences
		}
		c.changed = true
	}
	return c.source.allows(r.name)
}

func (s *Source) allows(name []byte) *event.Fault {
	if s.Events != nil && !s.Events[string(name)] {
		return faultNotAllowed
	}
	return nil
}

// readBody finds the object that becomes the properties.
func (r *Reader) readBody(c *call) *event.Fault {
	if c.typ == Page || c.typ == Screen {
		if !r.isAbsentOr(sName, event.String) {
			return faultNameType
		}
		if !r.isAbsentOr(sCategory, event.String) {
			return faultCategoryType
		}
	}
	if !r.isAbsentOr(sProperties, event.Object) {
		return faultPropertiesType
	}
	if !r.isAbsentOr(sTraits, event.Object) {
		return faultTraitsType
	}
	switch c.typ {
	case Identify, Group:
		if c.properties = r.at[sTraits]; c.properties == 0 && r.isAbsentOr(sContextTraits, event.Object) {
			c.properties = r.at[sContextTraits]
		}
	case Track, Page, Screen:
		c.properties = r.at[sProperties]
	}
	return nil
}

func (r *Reader) isAbsentOr(at slot, kind event.Kind) bool {
	return r.at[at] == 0 || r.ix.Nodes[r.at[at]].Kind == kind
}
