package jsonschema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
	"github.com/ebbgate/ebbgate/internal/jsonschema"
)

const wrong = "zzzzzzzzzz"

// asked is a place in a file where a name or a word is wrong, so that the parser says which it knows, and where the schema has them.
var asked = []struct {
	file, src string
	at        string // in the schema
}{
	{"policy.yaml", wrong + ": 1\n", "/properties"},
	{"policy.yaml", "sources: { a: { " + wrong + ": 1 } }\n", "/properties/sources/additionalProperties/properties"},
	{"policy.yaml", "sources: { a: { consent: " + wrong + " } }\n", "/properties/sources/additionalProperties/properties/consent/enum"},
	{"policy.yaml", "destinations: { a: { " + wrong + ": 1 } }\n", "/properties/destinations/additionalProperties/properties"},
	{"policy.yaml", "destinations: { a: { kind: " + wrong + " } }\n", "/properties/destinations/additionalProperties/properties/kind/enum"},
	{"policy.yaml", "destinations: { a: { unless: [ " + wrong + " ] } }\n", "/properties/destinations/additionalProperties/properties/unless/items/enum"},
	{"policy.yaml", "destinations: { a: { fields: { x: { " + wrong + ": 1 } } } }\n", "/$defs/rule/then/properties"},
	{"topics.yaml", wrong + ": 1\n", "/properties"},
	{"topics.yaml", "defaults: { " + wrong + ": 1 }\n", "/properties/defaults/properties"},
	{"topics.yaml", "topics: { a: { " + wrong + ": 1 } }\n", "/properties/topics/additionalProperties/properties"},
	{"topics.yaml", "topics: { a: { role: " + wrong + " } }\n", "/properties/topics/additionalProperties/properties/role/enum"},
	{"topics.yaml", "topics: { a: { cleanup: " + wrong + " } }\n", "/properties/topics/additionalProperties/properties/cleanup/enum"},
	{"topics.yaml", "topics: { a: { compression: " + wrong + " } }\n", "/properties/topics/additionalProperties/properties/compression/enum"},
	{"contracts/classes.yaml", wrong + ": 1\n", "/$defs/classes/properties"},
	{"contracts/classes.yaml", "classes: { a: { " + wrong + ": 1 } }\n", "/$defs/classes/properties/classes/additionalProperties/properties"},
	{"contracts/classes.yaml", "envelope: { context.ip: { " + wrong + ": 1 } }\n", "/$defs/classes/properties/envelope/properties/context.ip/properties"},
	{"contracts/a.yaml", wrong + ": 1\n", "/$defs/contract/properties"},
	{"contracts/a.yaml", "from: " + wrong + "\n", "/$defs/contract/properties/from/enum"},
	{"contracts/a.yaml", "undeclared: " + wrong + "\n", "/$defs/contract/properties/undeclared/enum"},
	{"contracts/a.yaml", "properties: { a: { " + wrong + ": 1 } }\n", "/$defs/property/properties"},
	{"contracts/a.yaml", "properties: { a: { type: " + wrong + " } }\n", "/$defs/property/properties/type/enum"},
	{"contracts/a.yaml", "properties: { a: { from: " + wrong + " } }\n", "/$defs/property/properties/from/enum"},
	{"contracts/a.yaml", "properties: { a: { type: string, classification: " + wrong + " } }\n", "/$defs/property/properties/classification/enum"},
	{"contracts/a.yaml", "properties: { a: { type: array, items: " + wrong + " } }\n", "/$defs/property/properties/items/anyOf/0/enum"},
	{"contracts/a.yaml", "properties: { a: { type: array, items: { " + wrong + ": 1 } } }\n", "/$defs/property/properties/items/anyOf/1/properties"},
	{"contracts/a.yaml", "properties: { a: { type: array, items: { type: " + wrong + " } } }\n", "/$defs/property/properties/items/anyOf/1/properties/type/enum"},
}

// A name or a word that a parser learns must be in its schema, and none that it does not know.
func TestNamesAndWordsAreThoseOfTheParsers(t *testing.T) {
	for _, a := range asked {
		t.Run(kindOf(a.file)+a.at, func(t *testing.T) {
			known := told(t, parse(a.file, []byte(a.src)))
			if strings.Contains(a.at, "/rule/") {
				known = append(known, "requires") // is no operation, which is what the parser lists
			}
			slices.Sort(known)
			assert.Equal(t, known, words(t, kindOf(a.file), a.at))
		})
	}
}

// told is what the parser lists in place of the wrong name.
func told(t *testing.T, err error) []string {
	t.Helper()
	for _, problem := range problems(err) {
		if list, ok := strings.CutPrefix(problem.Remedy, "use one of "); ok {
			return strings.Split(list, ", ")
		}
	}
	t.Fatalf("the parser lists nothing: %v", err)
	return nil
}

func problems(err error) (found []*strict.Problem) {
	var join interface{ Unwrap() []error }
	var problem *strict.Problem
	switch {
	case errors.As(err, &join):
		for _, inner := range join.Unwrap() {
			found = append(found, problems(inner)...)
		}
	case errors.As(err, &problem):
		found = append(found, problem)
	}
	return found
}

// words are the names of an object, or the members of a list, in a schema.
func words(t *testing.T, schema, pointer string) []string {
	t.Helper()
	switch v := at(t, schema, pointer).(type) {
	case map[string]any:
		return sortedKeys(v)
	case []any:
		var list []string
		for _, word := range v {
			list = append(list, word.(string))
		}
		slices.Sort(list)
		return list
	}
	t.Fatalf("%s%s is nothing with words", schema, pointer)
	return nil
}

func at(t *testing.T, schema, pointer string) any {
	t.Helper()
	text, err := jsonschema.Of(schema)
	require.NoError(t, err)
	var v any
	require.NoError(t, json.Unmarshal(text, &v))
	for _, step := range strings.Split(pointer, "/")[1:] {
		switch inner := v.(type) {
		case map[string]any:
			v = inner[step]
		case []any:
			v = inner[int(step[0]-'0')]
		}
		require.NotNil(t, v, "%s has no %s", schema, step)
	}
	return v
}

var numbersForm = regexp.MustCompile(`from (\d+) to (\d+)`)

// Bounds of numbers are the parsers' own.
func TestBoundsAreThoseOfTheParsers(t *testing.T) {
	for _, a := range []struct{ file, src, at string }{
		{"topics.yaml", "defaults: { replication_factor: -1 }\n", "/properties/defaults/properties/replication_factor"},
		{"topics.yaml", "topics: { a: { partitions: -1 } }\n", "/properties/topics/additionalProperties/properties/partitions"},
		{"topics.yaml", "topics: { a: { replication_factor: -1 } }\n", "/properties/topics/additionalProperties/properties/replication_factor"},
		{"topics.yaml", "topics: { a: { max_message_bytes: -1 } }\n", "/properties/topics/additionalProperties/properties/max_message_bytes"},
		{"contracts/a.yaml", "properties: { a: { type: string, max_length: -1 } }\n", "/$defs/property/properties/max_length"},
	} {
		err := parse(a.file, []byte(a.src))
		said := numbersForm.FindStringSubmatch(fmt.Sprint(err))
		require.NotNil(t, said, "%v", err)
		bounds := at(t, kindOf(a.file), a.at).(map[string]any)
		assert.Equal(t, said[1:], []string{fmt.Sprintf("%.0f", bounds["minimum"]), fmt.Sprintf("%.0f", bounds["maximum"])}, a.at)
	}
}
