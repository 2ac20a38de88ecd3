package generate

import (
	"bytes"
	"strings"
)

// twist is what a flaw does to one property while it is written.
type twist uint8

const (
	untwisted twist = iota
	wrongType
	unlisted
	tooLong
	leftOut
	undeclared
)

// flaw is one thing that can be wrong with an event, and the code it must be found under. Set changes the draft,
// damage the finished bytes; either may be nil. With a twist, the flaw exists only in events whose contract gives it
// a property to bite.
type flaw struct {
	name   string
	code   string
	twist  twist
	set    func(*draft)
	damage func([]byte) []byte
}

func root(members string) func(*draft)     { return func(d *draft) { d.rootPrefix = members } }
func property(members string) func(*draft) { return func(d *draft) { d.propertyPrefix = members } }

// inText puts raw bytes into a string of the event that nothing else depends on.
func inText(raw string) func(*draft) { return property(`"note":"a` + raw + `b",`) }

var flaws = []flaw{
	{name: "cut short", code: "event.syntax", damage: func(b []byte) []byte { return b[:len(b)*2/3] }},
	{name: "single quotes", code: "event.syntax", set: property(`'note':'x',`)},
	{name: "comma too many", code: "event.syntax", set: property(`"note":"x",,`)},
	{name: "word that is no literal", code: "event.syntax", set: property(`"note":NaN,`)},
	{name: "two events in one", code: "event.trailing_data", damage: func(b []byte) []byte { return append(b, `{"event_name":"page_viewed"}`...) }},
	{name: "list of events", code: "event.not_object", damage: func(b []byte) []byte { return append(append([]byte{'['}, b...), ']') }},
	{name: "byte order mark", code: "event.bom", damage: func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }},
	{name: "name twice", code: "event.duplicate_name", set: root(`"event_name":"x",`)},
	{name: "name twice through an escape", code: "event.duplicate_name", set: root(`"\u0073ubject":{"user_id":"u_0"},`)},
	{name: "undeclared name twice", code: "event.duplicate_name", set: property(`"note":1,"note":2,`)},
	{name: "not UTF-8", code: "event.utf8", set: inText("\xff\xfe")},
	{name: "overlong UTF-8", code: "event.utf8", set: inText("\xc0\xaf")},
	{name: "half a surrogate pair", code: "event.surrogate", set: inText(`\ud83d`)},
	{name: "bare control character", code: "event.control_char", set: inText("\x01")},
	{name: "governed name in capitals", code: "event.near_name", set: root(`"CONSENT":{"marketing":true},`)},
	{name: "governed name with a zero-width space", code: "event.near_name", set: root("\"con\u200bsent\":{\"marketing\":true},")},
	{name: "governed name of other letters", code: "event.near_name", set: root("\"\uff53ubject\":{},")},
	{name: "too deep", code: "event.too_deep", set: property(`"note":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `,`)},
	{name: "name too long", code: "event.key_too_long", set: property(`"` + strings.Repeat("n", 300) + `":1,`)},
	{name: "number too long", code: "event.number", set: property(`"note":` + strings.Repeat("9", 400) + `,`)},

	{name: "no event name", code: "envelope.event_name", set: func(d *draft) { d.eventName = "" }},
	{name: "no timestamp", code: "envelope.timestamp", set: func(d *draft) { d.timestamp = " " }},
	{name: "timestamp without a zone", code: "envelope.timestamp", set: func(d *draft) { d.timestamp = `"timestamp":"2026-04-13 10:00:00",` }},
	{name: "timestamp far in the future", code: "envelope.future", set: func(d *draft) { d.timestamp = `"timestamp":"2199-01-01T00:00:00Z",` }},
	{name: "timestamp long ago", code: "envelope.ancient", set: func(d *draft) { d.timestamp = `"timestamp":"2001-01-01T00:00:00Z",` }},
	{name: "no subject", code: "envelope.subject", set: func(d *draft) { d.noSubject = true }},
	{name: "no source", code: "envelope.source", set: func(d *draft) { d.source = "" }},
	{name: "context is text", code: "envelope.type", set: func(d *draft) { d.contextRaw = `"context":"web_app",` }},

	{name: "consent of the wrong type", code: "consent.type", set: func(d *draft) {
		d.consentRaw = `"consent":{"analytics":"true","marketing":"true","source":"consent_service"},`
	}},

	{name: "unknown event", code: "contract.unknown_event", set: func(d *draft) { d.eventName = "page_vieved" }},
	{name: "unknown major version", code: "contract.unknown_major", set: func(d *draft) { d.version = "97.0.0" }},
	{name: "property of the wrong type", code: "contract.type", twist: wrongType},
	{name: "required property left out", code: "contract.required", twist: leftOut},
	{name: "value not in the list", code: "contract.enum", twist: unlisted},
	{name: "text too long", code: "contract.length", twist: tooLong},
	{name: "undeclared property", code: "contract.undeclared", twist: undeclared, set: property(`"note":"x",`)},
}

// Codes lists the codes that flawed events are labelled with, each once, in order of first use.
func Codes() []string {
	var out []string
	seen := map[string]bool{}
	for _, f := range flaws {
		if !seen[f.code] {
			seen[f.code] = true
			out = append(out, f.code)
		}
	}
	return out
}

// flawed writes the event with one flaw. A flaw that this kind of event cannot have gives way to the next one.
func (d *draft) flawed(dst []byte) Event {
	first := d.random.IntN(len(flaws))
	for i := range flaws {
		f := &flaws[(first+i)%len(flaws)]
		if f.twist != untwisted && !twistable(d.name, f.twist) {
			continue
		}
		d.twist = f.twist
		if f.set != nil {
			f.set(d)
		}
		from := len(dst)
		out := d.envelope(dst)
		if f.damage != nil {
			out = append(out[:from], f.damage(bytes.Clone(out[from:]))...)
		}
		ev := d.event(out, Flawed)
		ev.Expect = Expect{Code: f.code, Flaw: f.name}
		return ev
	}
	return d.event(d.envelope(dst), Journey)
}
