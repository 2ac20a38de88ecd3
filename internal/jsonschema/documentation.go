package jsonschema

import (
	"encoding/json"
	"fmt"
	"strings"
)

// documentation is what the engine tells of every field and component.
type documentation struct {
	fields     []documented
	components map[string][]documentedComponent // by kind
}

type documentedComponent struct {
	Name    string
	Summary string
	Config  documented
}

type documented struct {
	Name        string
	Description string
	Children    []documented
}

func readDocs(docs []byte) (*documentation, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(docs, &all); err != nil {
		return nil, fmt.Errorf("reading the engine's documentation: %w", err)
	}
	d := &documentation{components: map[string][]documentedComponent{}}
	if err := json.Unmarshal(all["config"], &d.fields); err != nil {
		return nil, fmt.Errorf("reading the engine's documentation of fields: %w", err)
	}
	for kind, key := range map[string]string{
		"buffer": "buffers", "cache": "caches", "input": "inputs", "output": "outputs", "processor": "processors",
		"rate_limit": "rate-limits", "metrics": "metrics", "tracer": "tracers", "scanner": "scanners",
	} {
		var components []documentedComponent
		if err := json.Unmarshal(all[key], &components); err != nil {
			return nil, fmt.Errorf("reading the engine's documentation of %s: %w", key, err)
		}
		d.components[kind] = components
	}
	return d, nil
}

func (d *documentation) describeComponents(kind string, names map[string]any) {
	for _, component := range d.components[kind] {
		config := component.Config
		config.Name, config.Description = component.Name, component.Summary
		describe(names, []documented{config})
	}
}

// describe adds to the fields of a schema what the documentation says of them.
func describe(properties map[string]any, fields []documented) {
	for _, field := range fields {
		described, ok := properties[field.Name].(map[string]any)
		if !ok {
			continue
		}
		if text := firstParagraph(field.Description); text != "" {
			described["description"] = text
		}
		for described != nil { // lists describe what is in them
			if inner, ok := described["properties"].(map[string]any); ok {
				describe(inner, field.Children)
			}
			described, _ = described["items"].(map[string]any)
		}
	}
}

func firstParagraph(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n\n")
	return strings.Join(strings.Fields(first), " ")
}
