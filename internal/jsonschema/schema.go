package jsonschema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

const dialect = "https://json-schema.org/draft/2020-12/schema"

// Names lists the schemas that Of knows, sorted. That of pipelines is the engine's: see Pipeline.
func Names() []string { return []string{"contract", "policy", "topics"} }

// Of returns a schema as indented JSON: the policy, a file of contracts/ (classes.yaml is one of them), or the topics.
func Of(name string) ([]byte, error) {
	roots := map[string]func() node{"contract": contractFile, "policy": policyFile, "topics": topicsFile}
	root, ok := roots[name]
	if !ok {
		return nil, fmt.Errorf("no schema is called %q: use one of %v", name, Names())
	}
	return encode(root())
}

// encode writes names in order, so that the same schema is the same file.
func encode(root node) ([]byte, error) {
	root["$schema"] = dialect
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return out.Bytes(), nil
}

// node is a schema, or a part of one.
type node map[string]any

// field is one name of an object, and what editors tell of it.
type field struct {
	name     string
	about    string
	required bool
	value    node
}

// object has these names and no others.
func object(fields ...field) node {
	properties := node{}
	required := []string{}
	for _, f := range fields {
		f.value["description"] = f.about
		properties[f.name] = f.value
		if f.required {
			required = append(required, f.name)
		}
	}
	n := node{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		n["required"] = required
	}
	return n
}

// namedBy is an object whose names are the writer's own.
func namedBy(names string, value node) node {
	n := node{"type": "object", "additionalProperties": value}
	if names != "" {
		n["propertyNames"] = node{"pattern": names}
	}
	return n
}

// text is any single value, as the parsers take the text of a scalar as it is written.
func text() node {
	return node{"type": []string{"string", "number", "boolean"}, "minLength": 1}
}

// The forms of names are those of package strict and of its callers; tests compare them.
const (
	namePattern      = `^[a-z][a-z0-9_]{0,63}$`
	versionPattern   = `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`
	retentionPattern = `^([1-9][0-9]{0,4}[hd]|forever)$`
)

// name is a name as events, purposes, classes and destinations have. `true` is one as it is written.
func name() node {
	return node{"type": []string{"string", "boolean"}, "pattern": namePattern}
}

func retention() node {
	return node{"type": "string", "pattern": retentionPattern, "examples": []string{"12h", "400d", "forever"}}
}

func oneOf(words ...string) node { return node{"enum": words} }

func boolean() node { return node{"type": "boolean"} }

func integer(low, high int) node {
	return node{"type": "integer", "minimum": low, "maximum": high}
}

func listOf(items node) node {
	return node{"type": "array", "items": items, "uniqueItems": true}
}

// names counts a type up from its first value for as long as the values have names.
func names[T interface {
	~uint8
	String() string
}](first T,
) (words []string) {
	for v := first; v.String() != ""; v++ {
		words = append(words, v.String())
	}
	return words
}

func without(words []string, unwanted ...string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return slices.Contains(unwanted, word) })
}
