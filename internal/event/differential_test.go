package event_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/ebbgate/ebbgate/internal/event"
)

// The oracles print a document as lines of `path kind text`, in document order. Three readers must print the same lines.

func linesOfTape(v event.Value, path string, lines []string) []string {
	text := string(v.Text(nil))
	switch v.Kind() {
	case event.Object:
		lines = append(lines, path+" {")
		v.Each(func(child event.Value) bool {
			lines = linesOfTape(child, path+"/"+strconv.Quote(string(child.Key(nil))), lines)
			return true
		})
		return append(lines, path+" }")
	case event.Array:
		at := 0
		lines = append(lines, path+" [")
		v.Each(func(child event.Value) bool {
			lines = linesOfTape(child, path+"/"+strconv.Itoa(at), lines)
			at++
			return true
		})
		return append(lines, path+" ]")
	case event.String:
		return append(lines, path+" string "+strconv.Quote(text))
	}
	return append(lines, path+" "+text)
}

func linesOfStandard(d *json.Decoder, path string, lines []string) ([]string, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, container := token.(json.Delim)
	if !container {
		if text, isString := token.(string); isString {
			return append(lines, path+" string "+strconv.Quote(text)), nil
		}
		if token == nil {
			return append(lines, path+" null"), nil
		}
		return append(lines, fmt.Sprintf("%s %v", path, token)), nil
	}
	lines = append(lines, path+" "+delim.String())
	for at := 0; d.More(); at++ {
		name := strconv.Itoa(at)
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name = strconv.Quote(key.(string))
		}
		if lines, err = linesOfStandard(d, path+"/"+name, lines); err != nil {
			return nil, err
		}
	}
	end, err := d.Token()
	return append(lines, fmt.Sprintf("%s %v", path, end)), err
}

func linesOfGJSON(r gjson.Result, path string, lines []string) []string {
	if !r.IsObject() && !r.IsArray() {
		if r.Type == gjson.String {
			return append(lines, path+" string "+strconv.Quote(r.Str))
		}
		return append(lines, path+" "+r.Raw)
	}
	brackets, at := "[]", 0
	if r.IsObject() {
		brackets = "{}"
	}
	lines = append(lines, path+" "+brackets[:1])
	r.ForEach(func(key, value gjson.Result) bool {
		name := strconv.Itoa(at)
		if r.IsObject() {
			name = strconv.Quote(key.String())
		}
		lines = linesOfGJSON(value, path+"/"+name, lines)
		at++
		return true
	})
	return append(lines, path+" "+brackets[1:])
}

// canonicalByHand is the canonical form from unescaped texts alone, without any of the encoder's short cuts.
func canonicalByHand(dst []byte, v event.Value) []byte {
	switch v.Kind() {
	case event.String:
		return event.AppendString(dst, v.Text(nil))
	case event.Object, event.Array:
		raw := v.Raw()
		dst = append(dst, raw[0])
		first := true
		v.Each(func(child event.Value) bool {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			if v.Kind() == event.Object {
				dst = append(event.AppendString(dst, child.Key(nil)), ':')
			}
			dst = canonicalByHand(dst, child)
			return true
		})
		return append(dst, raw[len(raw)-1])
	}
	return append(dst, v.Raw()...)
}

// requireAgreement holds every promise about a document the scanner has accepted: other readers find the same values at
// the same paths, the tape is well formed, and the canonical form is the same document and final.
func requireAgreement(t require.TestingT, ix *event.Index) {
	requireWellFormed(t, ix)
	lines := linesOfTape(ix.Root(), "", nil)

	decoder := json.NewDecoder(bytes.NewReader(ix.Buf))
	decoder.UseNumber()
	standard, err := linesOfStandard(decoder, "", nil)
	require.NoError(t, err)
	require.Equal(t, standard, lines, "encoding/json")
	require.True(t, json.Valid(ix.Buf))
	require.Equal(t, linesOfGJSON(gjson.ParseBytes(ix.Buf), "", nil), lines, "gjson")

	canonical := event.AppendValue(nil, ix.Root())
	require.Equal(t, string(canonicalByHand(nil, ix.Root())), string(canonical))
	var again event.Index
	require.NoError(t, event.NewScanner(ix.Dict(), event.Limits{MaxNumber: 1 << 20}).Scan(canonical, &again))
	require.Equal(t, lines, linesOfTape(again.Root(), "", nil))
	require.Equal(t, string(canonical), string(event.AppendValue(nil, again.Root())), "canonical form is final")
	require.Equal(t, len(ix.Nodes), len(again.Nodes))
	for i := range ix.Nodes {
		require.Equal(t, ix.Nodes[i].Field, again.Nodes[i].Field)
	}
}

// requireWellFormed checks the tape against itself: spans nest, Next closes every subtree, fields match their paths and
// Get finds what a walk finds.
func requireWellFormed(t require.TestingT, ix *event.Index) {
	require.Equal(t, len(ix.Nodes), int(ix.Nodes[0].Next))
	first := map[event.Field]int{}
	var walk func(v event.Value, path string, governed bool) int
	walk = func(v event.Value, path string, governed bool) int {
		n := ix.Nodes[v.Pos()]
		require.LessOrEqual(t, n.Start, n.End)
		require.LessOrEqual(t, int(n.End), len(ix.Buf))
		expected := event.NoField
		if governed {
			expected = ix.Dict().Field(path)
		}
		require.Equal(t, expected, v.Field(), path)
		if _, seen := first[v.Field()]; !seen {
			first[v.Field()] = v.Pos()
		}
		next := v.Pos() + 1
		v.Each(func(child event.Value) bool {
			require.Equal(t, next, child.Pos())
			c := ix.Nodes[child.Pos()]
			require.GreaterOrEqual(t, c.Start, n.Start)
			require.LessOrEqual(t, c.End, n.End)
			next = walk(child, below(path, v, child), v.Pos() == 0 || governed && expected != event.NoField)
			return true
		})
		require.Equal(t, int(n.Next), next)
		return next
	}
	walk(ix.Root(), "", false)
	delete(first, event.NoField)
	for f := event.Field(1); int(f) < ix.Dict().Len(); f++ {
		v, ok := ix.Get(f)
		at, present := first[f]
		require.Equal(t, present, ok, ix.Dict().Path(f))
		if ok {
			require.Equal(t, at, v.Pos())
		}
	}
}

// below is the dictionary path of a child; a name that cannot be part of one gives a path no dictionary has.
func below(path string, parent, child event.Value) string {
	if parent.Kind() == event.Array {
		return path + "[]"
	}
	name := string(child.Key(nil))
	if bytes.ContainsAny([]byte(name), ".[]") {
		return "."
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func newTestDictionary(t require.TestingT) *event.Dictionary {
	dict, err := event.NewDictionary("properties.email", "properties.key", "properties.plan", "properties.user.phone",
		"properties.items[].sku", "properties.tags[]", "properties.matrix[][]", "properties.größe", "properties.first name",
		"properties.a_rather_long_governed_property_name", "consent.marketing", "consent.analytics")
	require.NoError(t, err)
	return dict
}

var agreeingDocuments = []string{
	`{}`,
	` { } `,
	marketingEvent,
	`{"a":1,"b":-0,"c":0.5,"d":1e5,"e":1E-7,"f":9007199254740993,"g":-12.75e+2}`,
	`{"a":[],"b":{},"c":[[],{}],"d":[1,[2,[3]],{"e":[4]}]}`,
	"{\r\n\t\"a\" : [ 1 , 2 ] ,\n \"b\" : { \"c\" : null } \n}\n",
	`{"a":"\"\\\/\b\f\n\r\t\u00e9\u4e2d\ud83d\ude00","b":"é中😀","\u0063":"\u0000"}`,
	`{"properties":{"email":"x","items":[{"sku":"a","x":1},{"sku":"b"}],"tags":["a",1,{"b":2}],"matrix":[[1,2],[3]]}}`,
	`{"properties":{"größe":1,"first name":"x","\u0065mail":{"email":1,"EMAIL":2},"user":{"phone":"1"}}}`,
	`{"properties":[{"email":1}],"consent":{"marketing":true},"subject":"text"}`,
	`{"x":{"properties":{"email":1,"Email":2}},"properties":{"a_rather_long_governed_property_name":"y"}}`,
}

func TestReadersAgree(t *testing.T) {
	scanner := event.NewScanner(newTestDictionary(t), event.Limits{})
	for _, document := range agreeingDocuments {
		var ix event.Index
		require.NoError(t, scanner.Scan([]byte(document), &ix), document)
		requireAgreement(t, &ix)
	}
}
