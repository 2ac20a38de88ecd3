package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// reference works out what each destination should have of an event: by the text of the policy and the contracts, with maps and
// the JSON and YAML of libraries, and slowly. It shares no code with the gate but the derivation of keys.
type reference struct {
	ring         *keys.Ring
	destinations []destination
	declared     map[string]map[string]bool // by event: the paths of its properties
	storage      map[string]string          // by event: the purpose without which it must not be stored
}

type destination struct {
	Name    string
	Purpose string         `yaml:"purpose"`
	Events  []string       `yaml:"events"`
	Fields  map[string]any `yaml:"fields"`
}

// fate is what should become of an event at one destination: a document, or a reason for none.
type fate struct {
	denied   string
	document map[string]any
}

// unlisted is the gate's reason for an event that a destination does not list.
const unlisted = "event.unlisted"

func newReference(dir string, ring *keys.Ring) (*reference, error) {
	r := &reference{ring: ring, declared: map[string]map[string]bool{}, storage: map[string]string{}}
	var policy struct {
		Destinations yaml.Node `yaml:"destinations"`
	}
	if err := readYAML(filepath.Join(dir, "policy.yaml"), func(d *yaml.Decoder) error { return d.Decode(&policy) }); err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(policy.Destinations.Content); i += 2 {
		d := destination{Name: policy.Destinations.Content[i].Value}
		if err := policy.Destinations.Content[i+1].Decode(&d); err != nil {
			return nil, err
		}
		r.destinations = append(r.destinations, d)
	}
	return r, r.readContracts(filepath.Join(dir, "contracts"))
}

func (r *reference) readContracts(dir string) error {
	var classes struct {
		Classes map[string]struct {
			Storage string `yaml:"storage"`
		} `yaml:"classes"`
	}
	if err := readYAML(filepath.Join(dir, "classes.yaml"), func(d *yaml.Decoder) error { return d.Decode(&classes) }); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		err := readYAML(file, func(d *yaml.Decoder) error {
			for {
				var contract struct {
					Event, Class string
					Properties   map[string]any
				}
				if d.Decode(&contract) != nil {
					return nil // at the end
				}
				if contract.Event == "" {
					continue
				}
				if storage := classes.Classes[contract.Class].Storage; storage != "none" {
					r.storage[contract.Event] = storage
				}
				r.declared[contract.Event] = map[string]bool{} // the last version is the highest
				declare(r.declared[contract.Event], "properties", contract.Properties)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func declare(into map[string]bool, prefix string, properties map[string]any) {
	for name, spec := range properties {
		path, property := prefix+"."+name, spec.(map[string]any)
		for property["type"] == "array" || property["type"] == "object" {
			if property["type"] == "array" {
				path += "[]"
				items, ok := property["items"].(map[string]any)
				if !ok {
					break // of texts or numbers
				}
				property = items
				continue
			}
			declare(into, path, property["properties"].(map[string]any))
			path = ""
			break
		}
		into[path] = true
	}
}

func readYAML(file string, read func(*yaml.Decoder) error) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := read(yaml.NewDecoder(bytes.NewReader(text))); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// judge gives the fate of an event by destination. stored and given are the purposes that a consent record of the person denied when
// it was decided whether the event may be stored, and to whom it may be given.
func (r *reference) judge(body []byte, stored, given map[string]bool) (map[string]fate, error) {
	var ev map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&ev); err != nil {
		return nil, err
	}
	name, _ := ev["event_name"].(string)
	out := map[string]fate{}
	for i := range r.destinations {
		d := &r.destinations[i]
		reason := why(ev, stored, r.storage[name])
		if reason == "" && len(d.Events) > 0 && !contains(d.Events, name) {
			reason = unlisted
		}
		if reason == "" {
			reason = why(ev, given, d.Purpose)
		}
		if reason != "" {
			out[d.Name] = fate{denied: reason}
			continue
		}
		p := projector{r, d, r.declared[name], func(purpose string) bool { return why(ev, given, purpose) == "" }}
		document, _ := p.value("", ev)
		whole, _ := document.(map[string]any)
		out[d.Name] = fate{document: whole}
	}
	return out, nil
}

// why is the reason for which a purpose may not be relied on, or empty.
func why(ev map[string]any, refused map[string]bool, purpose string) string {
	if purpose == "" {
		return ""
	}
	claim, present := ev["consent"].(map[string]any)
	said, stated := claim[purpose].(bool)
	switch {
	case refused[purpose]:
		return "consent.withdrawn." + purpose
	case said:
		return ""
	case stated:
		return "consent." + purpose + "=false"
	case !present:
		return "consent.missing"
	}
	return "consent." + purpose + "=missing"
}

func contains(list []string, text string) bool {
	for _, one := range list {
		if one == text {
			return true
		}
	}
	return false
}
