package jsonschema_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/jsonschema"
)

func walk(files fs.FS, visit func(name string, src []byte)) error {
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		src, err := fs.ReadFile(files, name)
		visit(name, src)
		return err
	})
}

func schemas(t testing.TB) map[string]*validator.Schema {
	t.Helper()
	all := map[string]*validator.Schema{}
	for _, name := range jsonschema.Names() {
		all[name] = compile(t, name)
	}
	return all
}

// What a parser takes its schema takes; where a parser finds an unknown name or a wrong type, so does its schema.
func TestSchemasAgreeWithTheParsers(t *testing.T) {
	all := schemas(t)
	good, bad := 0, 0
	workspaceFiles(t, func(name, place string, src []byte) {
		parsed, validated := parse(name, src), validate(all[kindOf(name)], src)
		switch found := mistakes(parsed); {
		case parsed == nil:
			good++
			assert.NoError(t, validated, place)
		case len(found) > 0:
			bad++
			assert.Error(t, validated, "%s: %q", place, found)
		}
	})
	assert.Greater(t, good, 30)
	assert.Greater(t, bad, 15)
}

func TestShippedFilesAreValid(t *testing.T) {
	all := schemas(t)
	for name, pattern := range map[string]string{"policy": "policy.yaml", "topics": "topics.yaml", "contract": "contracts/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(shipped, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			src, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.NoError(t, validate(all[name], src), file)
		}
	}
}

// One mistake is enough: in the corpus it often comes with others.
func TestAnUnknownNameAloneIsRefused(t *testing.T) {
	all := schemas(t)
	for _, place := range []struct{ kind, src string }{
		{"policy", "version: a\ndestinations: {}\nzzz: 1\n"},
		{"policy", "version: a\ndestinations: { a: { purpose: b, fields: { event_id: keep }, zzz: 1 } }\n"},
		{"policy", "version: a\ndestinations: { a: { purpose: b, fields: { event_id: keep, x: { keep: true, zzz: 1 } } } }\n"},
		{"topics", "topics: { a: { role: raw, partitions: 1, retention: 1d, cleanup: delete, zzz: 1 } }\n"},
		{"contract", "event: a\nversion: 1.0.0\nowner: b\nclass: c\nproperties: { x: { type: string, classification: none, zzz: 1 } }\n"},
		{"contract", "classes: { a: { retention: 1d, storage: none, zzz: 1 } }\n"},
	} {
		assert.Error(t, validate(all[place.kind], []byte(place.src)), place.src)
		assert.NoError(t, validate(all[place.kind], []byte(strings.NewReplacer(", zzz: 1", "", "zzz: 1\n", "").Replace(place.src))), place.src)
	}
}

func TestUnknownSchema(t *testing.T) {
	_, err := jsonschema.Of("polcy")
	assert.EqualError(t, err, `no schema is called "polcy": use one of [contract policy topics]`)
}

// The same schema is the same file, and says which draft it is of.
func TestSchemasAreStable(t *testing.T) {
	for _, name := range jsonschema.Names() {
		first, err := jsonschema.Of(name)
		require.NoError(t, err)
		again, err := jsonschema.Of(name)
		require.NoError(t, err)
		assert.Equal(t, string(first), string(again))
		assert.Contains(t, string(first), `"$schema": "https://json-schema.org/draft/2020-12/schema"`)
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
