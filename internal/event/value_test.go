package event_test

import (
	"fmt"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/event"
)

func scan(t require.TestingT, raw string) *event.Index {
	var ix event.Index
	require.NoError(t, event.NewScanner(newTestDictionary(t), event.Limits{}).Scan([]byte(raw), &ix))
	return &ix
}

func firstValue(t require.TestingT, literal string) event.Value {
	return scan(t, `{"a":`+literal+`}`).At(1)
}

func TestIntegersAreExactOrNotGiven(t *testing.T) {
	for _, c := range []struct {
		literal  string
		signed   int64
		isInt    bool
		unsigned uint64
		isUint   bool
		integer  bool
	}{
		{"0", 0, true, 0, true, true},
		{"-0", 0, true, 0, true, true},
		{"42", 42, true, 42, true, true},
		{"-42", -42, true, 0, false, true},
		{"9007199254740993", 9007199254740993, true, 9007199254740993, true, true},
		{"9223372036854775807", math.MaxInt64, true, math.MaxInt64, true, true},
		{"9223372036854775808", 0, false, 1 << 63, true, true},
		{"-9223372036854775808", math.MinInt64, true, 0, false, true},
		{"-9223372036854775809", 0, false, 0, false, true},
		{"18446744073709551615", 0, false, math.MaxUint64, true, true},
		{"18446744073709551616", 0, false, 0, false, true},
		{"99999999999999999999999", 0, false, 0, false, true},
		{"1.0", 0, false, 0, false, false},
		{"1e3", 0, false, 0, false, false},
		{`"1"`, 0, false, 0, false, false},
		{"true", 0, false, 0, false, false},
		{"null", 0, false, 0, false, false},
	} {
		v := firstValue(t, c.literal)
		signed, isInt := v.Int64()
		unsigned, isUint := v.Uint64()
		require.Equal(t, c.isInt, isInt, c.literal)
		require.Equal(t, c.signed, signed, c.literal)
		require.Equal(t, c.isUint, isUint, c.literal)
		require.Equal(t, c.unsigned, unsigned, c.literal)
		require.Equal(t, c.integer, v.IsInteger(), c.literal)
	}
}

func TestFloatsAreTheNearestDouble(t *testing.T) {
	for literal, want := range map[string]float64{
		"0": 0, "0.1": 0.1, "-12.5e1": -125, "1e308": 1e308, "1e-999": 0, "9007199254740993": 9007199254740992,
		"123456789012345678901234567890": 123456789012345678901234567890, "17": 17,
	} {
		got, ok := firstValue(t, literal).Float64()
		require.True(t, ok)
		require.Equal(t, want, got, literal)
	}
	negative, ok := firstValue(t, "-0").Float64()
	require.True(t, ok && negative == 0 && math.Signbit(negative))
	for _, literal := range []string{`"1"`, "true", "null", "[]", "{}"} {
		_, ok := firstValue(t, literal).Float64()
		require.False(t, ok, literal)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "float")
		got, ok := firstValue(t, fmt.Sprint(want)).Float64()
		require.True(t, ok)
		require.Equal(t, want, got)
	})
}

func TestValuesSayWhatTheyAre(t *testing.T) {
	ix := scan(t, `{"n":null,"f":false,"t":true,"i":1,"s":"a\nb","o":{"x":1},"l":[1,2,3],"p\u006cain":"pl\u0061in"}`)
	var kinds []event.Kind
	var keys, texts []string
	ix.Root().Each(func(v event.Value) bool {
		kinds, keys, texts = append(kinds, v.Kind()), append(keys, string(v.Key(nil))), append(texts, v.String())
		require.Equal(t, v.Kind() == event.True, v.Bool())
		require.Equal(t, ix.At(v.Pos()), v)
		return true
	})
	require.Equal(t, []event.Kind{event.Null, event.False, event.True, event.Number, event.String, event.Object, event.Array, event.String}, kinds)
	require.Equal(t, []string{"n", "f", "t", "i", "s", "o", "l", "plain"}, keys)
	require.Equal(t, []string{"null", "false", "true", "1", "a\nb", `{"x":1}`, "[1,2,3]", "plain"}, texts)
	require.Empty(t, ix.Root().Key(nil))
	require.Empty(t, event.Value{}.String())

	visited := 0
	ix.Root().Each(func(event.Value) bool { visited++; return visited < 3 })
	require.Equal(t, 3, visited, "Each stops when told")
	ix.At(1).Each(func(event.Value) bool { t.Fatal("a scalar has no members"); return true })
}

func TestTextAliasesUnlessEscaped(t *testing.T) {
	ix := scan(t, `{"a":"plain","b":"esc\u0061ped"}`)
	plain := ix.At(1).Text(nil)
	require.Same(t, &ix.Buf[6], &plain[0])
	require.Equal(t, len(plain), cap(plain), "appending must not write into the event")
	scratch := make([]byte, 64)
	escaped := ix.At(2).Text(scratch)
	require.Same(t, &scratch[0], &escaped[0])
	require.Equal(t, `esc\u0061ped`, string(ix.At(2).Raw()))
	require.Equal(t, "escaped", string(escaped))
}

func TestGetFindsTheFirst(t *testing.T) {
	ix := scan(t, `{"properties":{"items":[{"sku":"a"},{"sku":"b"}]},"event_name":"x","subject":{"user_id":"u"},"other":1}`)
	for path, want := range map[string]string{
		"properties.items[].sku": "a", "event_name": "x", "subject.user_id": "u", "properties.items[]": `{"sku":"a"}`,
	} {
		v, ok := ix.Get(ix.Dict().Field(path))
		require.True(t, ok, path)
		require.Equal(t, want, v.String())
		require.Equal(t, ix.Dict().Field(path), v.Field())
	}
	for _, path := range []string{"event_id", "properties.email", "no.such.path"} {
		_, ok := ix.Get(ix.Dict().Field(path))
		require.False(t, ok, path)
	}
}

func TestCanonicalForm(t *testing.T) {
	for raw, want := range map[string]string{
		" { \"b\" : [ 1 , 2.50 , -0 ] ,\n\"a\" : { } , \"c\":[ ] }":                   `{"b":[1,2.50,-0],"a":{},"c":[]}`,
		`{"\u0061":"\/\u002f\u0022\u005C\u000a\u0008\u0001\u00e9\ud83d\ude00\u007f"}`: "{\"a\":\"//\\\"\\\\\\n\\b\\u0001é😀\x7f\"}",
		`{"1e5":1E5,"x":"\u2028"}`: "{\"1e5\":1E5,\"x\":\"\u2028\"}",
	} {
		require.Equal(t, want, string(event.AppendValue(nil, scan(t, raw).Root())))
	}
	for raw, want := range map[string]string{
		`{"a":1}`: `"a":1`, `{"a": "x"}`: `"a":"x"`, `{"a" :"x"}`: `"a":"x"`, `{"a":"x"}`: `"a":"x"`, `{"\u0061":"x"}`: `"a":"x"`,
		`{"a":"\u0078"}`: `"a":"x"`, `{"a":[1,{}]}`: `"a":[1,{}]`, `{"a":[1, {}]}`: `"a":[1,{}]`, `{"a":{"\/":null}}`: `"a":{"/":null}`,
		`{"a":{ }}`: `"a":{}`, `{"a":["x" ]}`: `"a":["x"]`, "{\"a\":\ttrue}": `"a":true`, `{"":""}`: `"":""`,
	} {
		require.Equal(t, want, string(event.AppendMember(nil, scan(t, raw).At(1))), raw)
	}
	require.Equal(t, `x"a"`, string(event.AppendKey([]byte("x"), scan(t, `{"\u0061":1}`).At(1))))
}

func TestAppendStringIsReadBack(t *testing.T) {
	require.Equal(t, "\"a\\\"b\\\\c\\u001f\\t\ufffd\"", string(event.AppendString(nil, []byte("a\"b\\c\x1f\t\xff"))))
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		out := event.AppendString([]byte(`{"a":`), text)
		v := scan(t, string(out)+"}").At(1)
		require.Equal(t, string([]rune(string(text))), v.String())
		if utf8.Valid(text) {
			require.Equal(t, string(out[5:]), string(event.AppendValue(nil, v)))
		}
	})
}
