package jsonschema

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Pipeline makes the schema of pipelines, of service.yaml and of unit tests from what the engine says of its components: engine
// is its own export, which knows types, and docs its documentation, which knows what they mean. Only components in them exist.
func Pipeline(engine, docs []byte) ([]byte, error) {
	var exported struct {
		Properties  map[string]any
		Definitions map[string]struct{ AllOf []componentPart }
	}
	if err := json.Unmarshal(engine, &exported); err != nil {
		return nil, fmt.Errorf("reading the engine's schema: %w", err)
	}
	d, err := readDocs(docs)
	if err != nil {
		return nil, err
	}
	defs := node{}
	for kind, parts := range exported.Definitions {
		names := map[string]any{}
		for _, part := range parts.AllOf {
			part.collect(names)
		}
		d.describeComponents(kind, names)
		defs[kind] = node{"type": "object", "properties": settle(names), "additionalProperties": false}
	}
	describe(exported.Properties, d.fields)
	return encode(node{
		"title": "Ebbgate pipeline", "type": "object", "properties": settle(exported.Properties), "additionalProperties": false, "$defs": defs,
	})
}

// componentPart is a part of what the engine says of a kind of components: each by its name, or what all of them have.
type componentPart struct {
	Properties map[string]any
	AnyOf      []componentPart
}

func (p componentPart) collect(names map[string]any) {
	for name, value := range p.Properties {
		names[name] = value
	}
	for _, one := range p.AnyOf {
		one.collect(names)
	}
}

// settle turns the engine's dialect into the draft's, everywhere below a value.
func settle(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = settle(v[i])
		}
	case map[string]any:
		for name, inner := range v {
			v[name] = settle(inner)
		}
		settleNode(v)
	}
	return value
}

func settleNode(n map[string]any) {
	for _, mark := range []string{"is_advanced", "is_optional", "is_secret"} {
		if _, marked := n[mark].(bool); marked {
			delete(n, mark)
		}
	}
	if deprecated, marked := n["is_deprecated"].(bool); marked {
		delete(n, "is_deprecated")
		if deprecated {
			n["deprecated"] = true
		}
	}
	if ref, ok := n["$ref"].(string); ok {
		n["$ref"] = strings.Replace(ref, "#/definitions/", "#/$defs/", 1)
	}
	switch n["type"] {
	case "number", "boolean": // a variable of the environment is put in before the engine looks at types
		n["type"], n["pattern"] = []any{n["type"], "string"}, `\$\{.*\}`
	case "string":
		n["type"] = []any{"string", "number", "boolean"}
	}
}
