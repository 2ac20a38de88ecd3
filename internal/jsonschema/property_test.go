package jsonschema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

// values are what a change puts somewhere: what is right elsewhere is likely to be almost right here.
var values = []any{
	nil, true, false, 0, 1, -1, 64, 70000, 1.5, "", "x", "A b", "keep", "tokenize", "mask", "forever", "30d", "12", "User:x", "compact", "delete", "object",
	"array", "string", "direct", "erased", "raw", "1.0.0",
	[]any{},
	[]any{"a"},
	[]any{"a", "a"},
	[]any{1, 2},
	[]any{2, 1},
	[]any{nil},
	map[string]any{},
	map[string]any{"as": "email"},
	map[string]any{"keep": true},
	map[string]any{"keep": true, "drop": true},
	map[string]any{"requires": "other"},
	map[string]any{"bucket": []any{1, 2}},
	map[string]any{"truncate": 8},
	map[string]any{"truncate_ip": map[string]any{"v4": 99}},
	map[string]any{"mask": "email", "requires": "other"},
	map[string]any{"scrub": true},
	map[string]any{"type": "object", "properties": map[string]any{}},
}

var added = []string{"zzz", "keep", "retention", "enum", "max_length", "properties", "items", "classification", "role", "requires", "truncate_time", "event_id"}

// place is where a change can be made: in an object or in a list.
type place struct {
	object map[string]any
	list   []any
	name   string
	index  int
}

func places(v any) (found []place) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sortedKeys(v) {
			found = append(found, place{object: v, name: name})
			found = append(found, places(v[name])...)
		}
	case []any:
		for i := range v {
			found = append(found, place{list: v, index: i})
			found = append(found, places(v[i])...)
		}
	}
	return found
}

func (p place) change(t *rapid.T) {
	v := rapid.SampledFrom(values).Draw(t, "value")
	switch {
	case p.object == nil:
		p.list[p.index] = v
		return
	}
	switch rapid.SampledFrom([]string{"replace", "remove", "add", "rename"}).Draw(t, "change") {
	case "replace":
		p.object[p.name] = v
	case "remove":
		delete(p.object, p.name)
	case "add":
		p.object[rapid.SampledFrom(added).Draw(t, "name")] = v
	case "rename":
		p.object[rapid.SampledFrom(added).Draw(t, "name")] = p.object[p.name]
		delete(p.object, p.name)
	}
}

// Files that were changed anywhere, in any way, are judged alike by parser and schema, as far as a schema can judge.
func TestSchemasAgreeOnChangedFiles(t *testing.T) {
	all := schemas(t)
	files := []string{
		filepath.Join(shipped, "policy.yaml"), filepath.Join(shipped, "topics.yaml"), filepath.Join(shipped, "contracts/classes.yaml"),
		filepath.Join(shipped, "contracts/invoice_paid.yaml"), filepath.Join(shipped, "contracts/signed_up.yaml"),
	}
	originals := map[string][]byte{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		originals[file] = src
	}
	rapid.Check(t, func(t *rapid.T) {
		file := rapid.SampledFrom(files).Draw(t, "file")
		name := filepath.Base(file)
		if filepath.Base(filepath.Dir(file)) == "contracts" {
			name = "contracts/" + name
		}
		var doc yaml.Node
		require.NoError(t, yaml.Unmarshal(originals[file], &doc))
		tree := value(doc.Content[0])
		rapid.SampledFrom(places(tree)).Draw(t, "place").change(t)
		src, err := json.Marshal(tree)
		require.NoError(t, err)
		parsed, validated := parse(name, src), validate(all[kindOf(name)], src)
		known := mistakes(parsed)
		switch {
		case parsed == nil:
			require.NoError(t, validated, "%s", src)
		case len(known) > 0:
			require.Error(t, validated, "%q in %s", known, src)
		}
	})
}
