package jsonschema

import "github.com/ebbgate/ebbgate/internal/contract"

// contractFile is any document of contracts/: classes.yaml is known by its classes.
func contractFile() node {
	return node{
		"title": "Ebbgate contract",
		"if":    node{"required": []string{"classes"}},
		"then":  node{"$ref": "#/$defs/classes"},
		"else":  node{"$ref": "#/$defs/contract"},
		"$defs": node{"classes": classes(), "contract": oneContract(), "properties": properties(), "property": property()},
	}
}

func classes() node {
	class := object(
		field{"description", "What such events are.", false, text()},
		field{"retention", "How long such events may be kept.", true, retention()},
		field{"storage", "The purpose that storing them needs, or none.", true, name()},
	)
	var envelope []field
	for _, path := range contract.EnvelopePaths() {
		envelope = append(envelope, field{path, "What this field may go for untransformed.", false, object(
			field{"allowed_for", "The purposes.", true, listOf(name())},
		)})
	}
	return object(
		field{"classes", "The classes of events, by name.", true, namedBy(namePattern, class)},
		field{"envelope", "Fields of the envelope that may go untransformed for some purposes.", false, object(envelope...)},
	)
}

func oneContract() node {
	return object(
		field{"event", "The event's name, which is also the file's.", true, name()},
		field{"version", "Three numbers. Raise it with every change.", true, node{"type": "string", "pattern": `^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){2}$`}},
		field{"owner", "The team that answers for the event.", true, name()},
		field{"description", "What happened when it is sent.", false, text()},
		field{"class", "A class of classes.yaml, which says how long and with whose consent it is kept.", true, text()},
		field{"from", "Who sends it.", false, oneOf("server", "browser")},
		field{"undeclared", "What becomes of properties that are not declared here.", false, oneOf("remove", "quarantine")},
		field{"consent", "claim: what held when it happened. choice: what the subject has just chosen; it goes into their record.", false, oneOf("claim", "choice")},
		field{"suppresses", "What in the event tells that its subject must not be contacted. The first that holds counts.", false, node{"type": "array", "items": suppression()}},
		field{"properties", "The business data of the event.", false, node{"$ref": "#/$defs/properties"}},
	)
}

func suppression() node {
	values := node{"type": "array", "items": text(), "minItems": 1}
	return object(
		field{"when", "Texts that properties must have, all of them. Without it every such event suppresses.", false, namedBy(propertyPattern, values)},
		field{"reason", "Why, as the record says it.", true, name()},
		field{"channels", "What must not be used. Without it nothing may be.", false, listOf(name())},
	)
}

const propertyPattern = `^[A-Za-z_$][A-Za-z0-9_$-]{0,63}$`

func properties() node {
	return namedBy(propertyPattern, node{"$ref": "#/$defs/property"})
}

func property() node {
	scalars := without(names(contract.String), "object", "array", "json")
	inside := node{"$ref": "#/$defs/properties"}
	n := object(
		field{"type", "The type of the value.", true, oneOf(names(contract.String)...)},
		field{"required", "Events without it are quarantined.", false, boolean()},
		field{"classification", "How closely the value points at a person.", false, oneOf(names(contract.None)...)},
		field{"description", "What the value means.", false, text()},
		field{"enum", "The only values it may have.", false, node{"type": "array", "items": text(), "minItems": 1, "uniqueItems": true}},
		field{"max_length", "In characters.", false, integer(1, 65536)},
		field{"allowed_for", "Purposes for which the value may go untransformed.", false, listOf(name())},
		field{"from", "server: what a browser says of it is not believed.", false, oneOf("server")},
		field{"properties", "What an object holds.", false, inside},
		field{"items", "What an array holds.", false, node{"anyOf": []node{oneOf(scalars...), object(
			field{"type", "Objects, or name a type of single values instead.", true, oneOf("object")},
			field{"properties", "What each object holds.", true, node{"$ref": "#/$defs/properties"}},
		)}}},
	)
	n["allOf"] = []node{
		onlyFor("object", "properties"),
		onlyFor("array", "items"),
		{"if": isType("object"), "else": node{"anyOf": []node{arrayOfObjects(), {"required": []string{"classification"}}}}},
	}
	return n
}

// onlyFor says of what belongs to one type that the type must have it, and that no other has it.
func onlyFor(typ, field string) node {
	return node{
		"if":   isType(typ),
		"then": node{"required": []string{field}},
		"else": node{"properties": node{field: false}},
	}
}

func isType(typ string) node {
	return node{"properties": node{"type": node{"const": typ}}, "required": []string{"type"}}
}

func arrayOfObjects() node {
	n := isType("array")
	n["properties"].(node)["items"] = node{"type": "object"}
	return n
}
