package dialect

import (
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

// Reader reads statements from events scanned with one dictionary. One goroutine uses it at a time.
type Reader struct {
	rules    *Rules
	fields   fields
	category []uint64 // bit by event.Field
	tcf, gpp memo
}

// fields are where the dialects stand.
type fields struct {
	consent, categories, destinations, explicit, optOut, tcf, gpp, gpc, management, allowed, denied, strategy event.Field
}

// memo is the last IAB string and what it said: the events of a batch mostly come from one page.
type memo struct {
	text    string
	verdict verdict
}

// verdict is what one dialect says. A purpose may be in both masks; refused wins.
type verdict struct{ given, refused consent.Mask }

// Read joins what the contexts say, those that are objects, and the request's own Sec-GPC header. One refusal refuses.
func (r *Reader) Read(contexts []event.Value, gpc bool) Statement {
	var s Statement
	for _, context := range contexts {
		if context.Kind() == event.Object {
			r.context(context, &s)
		}
	}
	if gpc {
		s.join(GPC, verdict{refused: r.rules.byGPC})
	}
	s.Given &^= s.Refused
	return s
}

func (s *Statement) join(d Dialects, v verdict) {
	s.Given |= v.given
	s.Refused |= v.refused
	s.Dialects |= d
}

func (r *Reader) context(context event.Value, s *Statement) {
	context.Each(func(v event.Value) bool {
		switch {
		case v.Kind() == event.Null:
		case v.Field() == r.fields.consent:
			r.consent(v, s)
		case v.Field() == r.fields.management:
			s.join(RudderStack, r.managed(v))
		}
		return true
	})
}

// consent reads the object that several dialects share.
func (r *Reader) consent(object event.Value, s *Statement) {
	if object.Kind() != event.Object {
		s.join(Segment, verdict{refused: r.rules.mapped})
		return
	}
	var optedOut metaRouter
	object.Each(func(v event.Value) bool {
		if v.Kind() == event.Null {
			return true
		}
		switch v.Field() {
		case event.NoField:
		case r.fields.categories:
			s.join(Segment, r.preferences(v))
		case r.fields.destinations:
			s.join(ConsentManager, r.preferences(v))
		case r.fields.explicit:
			optedOut.explicit = isTrue(v)
		case r.fields.optOut:
			optedOut.codes, optedOut.present = v, true
		case r.fields.tcf:
			s.join(TCF, r.tcf.read(v, r.rules.readTCF, r.rules.byTCF))
		case r.fields.gpp:
			s.join(GPP, r.gpp.read(v, r.rules.readGPP, r.rules.byGPP()))
		case r.fields.gpc:
			if !isFalse(v) {
				s.join(GPC, verdict{refused: r.rules.byGPC})
			}
		}
		return true
	})
	if optedOut.present {
		s.join(MetaRouter, r.optedOut(optedOut))
	}
}

// maxIABString bounds what is decoded. Real strings have some hundred characters.
const maxIABString = 4096

// read has the string understood, unless it is the one of the event before. What is no such string refuses all it could grant.
func (m *memo) read(v event.Value, parse func(string) (verdict, bool), all consent.Mask) verdict {
	if v.Kind() != event.String || len(v.Raw()) > maxIABString {
		return verdict{refused: all}
	}
	var scratch [256]byte
	text := v.Text(scratch[:0])
	if string(text) == m.text && m.text != "" {
		return m.verdict
	}
	found, ok := parse(string(text))
	if !ok {
		found = verdict{refused: all}
	}
	m.text, m.verdict = string(text), found
	return found
}

func isTrue(v event.Value) bool {
	return v.Kind() == event.True || v.Kind() == event.String && string(v.Raw()) == "true"
}

func isFalse(v event.Value) bool {
	switch v.Kind() {
	case event.False, event.Null:
		return true
	case event.String:
		return string(v.Raw()) == "false" || string(v.Raw()) == "0"
	}
	return v.Kind() == event.Number && string(v.Raw()) == "0"
}
