package jsonschema

import "github.com/ebbgate/ebbgate/internal/mask"

func policyFile() node {
	n := object(
		field{"version", "Names this policy. A version means one content: give every change a new one.", true, node{"type": []string{"string", "number", "boolean"}, "pattern": versionPattern, "minimum": 0}},
		field{"sources", "Where events come from, and whether they carry consent.", false, namedBy(versionPattern, object(
			field{"consent", "carried: in the event. lookup: only a consent record allows a purpose.", true, oneOf("carried", "lookup")},
			field{"choices", "Which choices of consent that it tells of go into the subject's record. Without it withdrawals alone.", false, oneOf("withdrawals", "all", "none")},
		))},
		field{"destinations", "Where data may go. What is not declared here gets nothing.", true, namedBy(namePattern, destination())},
	)
	n["title"] = "Ebbgate policy"
	n["$defs"] = node{"rule": rule()}
	return n
}

func destination() node {
	fields := namedBy("", node{"$ref": "#/$defs/rule"})
	fields["required"] = []string{"event_id"}
	fields["properties"] = node{"event_id": node{
		"description": "Always kept: it names the row at every destination, for deduplication and for erasure.",
		"enum":        []any{"keep", node{"keep": true}, node{"keep": nil}},
	}}
	return object(
		field{"purpose", "The consent that must hold, when the event comes in and when it leaves.", true, name()},
		field{"owner", "The team that answers for the destination.", false, name()},
		field{"kind", "What delivers to it.", false, oneOf("clickhouse", "warehouse", "http", "topic")},
		field{"retention", "How long data is kept there.", false, retention()},
		field{"can_delete", "A subject's data can be deleted there.", false, boolean()},
		field{"events", "The only events that may go. Left out: all.", false, node{"type": "array", "items": name(), "minItems": 1, "uniqueItems": true}},
		field{"unless", "Subjects whose events do not go.", false, node{"type": "array", "items": oneOf("suppressed", "erased")}},
		field{"fields", "What may go, field by field. A field that is not listed does not leave.", true, fields},
	)
}

// rule is a bare word, or an operation with its argument and with what it requires.
func rule() node {
	words := []string{"keep", "drop"}
	operations := []node{{"required": []string{"keep"}}, {"required": []string{"drop"}}}
	fields := []field{
		{"requires", "A further purpose: without it the event goes without this field.", false, name()},
		{"keep", "The value as it is.", false, bare()},
		{"drop", "Nothing, which is also what an unlisted field gives.", false, bare()},
	}
	for _, transform := range mask.Names() {
		about, known := transforms[transform]
		if !known {
			panic("jsonschema: transform " + transform + " of package mask is not described")
		}
		value := about.argument()
		if _, err := mask.Parse(transform, nil); err == nil {
			words = append(words, transform)
			value = node{"anyOf": []node{bare(), value}}
		}
		fields = append(fields, field{transform, about.about, false, value})
		operations = append(operations, node{"required": []string{transform}})
	}
	long := object(fields...)
	long["oneOf"] = operations
	return node{
		"description": "keep, drop or a transform.",
		"if":          node{"type": "object"},
		"then":        long,
		"else":        oneOf(words...),
	}
}

// bare is the argument of an operation that takes none, in the long form.
func bare() node { return node{"enum": []any{true, nil}} }

// transforms describes the arguments of every transform of package mask.
var transforms = map[string]struct {
	about    string
	argument func() node
}{
	"tokenize": {"A keyed token: the same value gives the same token in this field at this destination, and another everywhere else.", func() node {
		return object(field{"as", "email: addresses that differ only in form give one token.", false, oneOf("exact", "email")})
	}},
	"mask": {"A part of the value.", func() node { return oneOf("email", "phone", "last_four") }},
	"truncate_ip": {"The network.", func() node {
		return object(field{"v4", "Bits kept of an IPv4 address.", false, integer(0, 24)}, field{"v6", "Bits kept of an IPv6 address.", false, integer(0, 64)})
	}},
	"truncate_time": {"The time cut to its hour, day, month or year, in UTC.", func() node { return oneOf("hour", "day", "month", "year") }},
	"truncate":      {"The first characters.", func() node { return integer(1, 64<<10) }},
	"bucket": {"The range the number is in: bounds in ascending order.", func() node {
		return node{"type": "array", "items": node{"type": "number"}, "minItems": 1, "maxItems": 64, "uniqueItems": true}
	}},
	"scrub": {"Text without e-mail addresses, phone, card and IP numbers. It does not find names.", bare},
}
