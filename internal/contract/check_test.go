package contract_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
)

const classes = "classes: {product: {retention: 400d, storage: analytics}}\n"

const signedUp = `event: signed_up
version: 1.4.2
owner: product
class: product
properties:
  plan: { type: string, required: true, classification: none, enum: [free, pro, "größer"] }
  nick: { type: string, classification: quasi, max_length: 5 }
  text: { type: string, classification: sensitive }
  seats: { type: integer, classification: none, enum: [1, 5, 10] }
  days: { type: integer, classification: none }
  amount: { type: number, classification: none }
  flag: { type: boolean, classification: none }
  when: { type: timestamp, classification: none }
  extra: { type: json, classification: none }
  tags: { type: array, items: string, classification: none, max_length: 3, enum: [a, bb] }
  address:
    type: object
    properties:
      city: { type: string, required: true, classification: quasi }
      zip: { type: string, classification: quasi }
  items:
    type: array
    items:
      type: object
      properties:
        sku: { type: string, required: true, classification: none }
        count: { type: integer, classification: none }
`

// bench binds a set of contracts and scans events for it.
type bench struct {
	set     *contract.Set
	scanner *event.Scanner
}

func newBench(t testing.TB, contracts ...string) *bench {
	t.Helper()
	files := fstest.MapFS{"contracts/classes.yaml": {Data: []byte(classes)}}
	for _, text := range contracts {
		name, _, _ := strings.Cut(strings.TrimPrefix(text, "event: "), "\n")
		files["contracts/"+name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	set, err := contract.Load(files, "contracts")
	require.NoError(t, err)
	dict, err := event.NewDictionary(set.Paths()...)
	require.NoError(t, err)
	return &bench{set: set.Bind(dict), scanner: event.NewScanner(dict, event.DefaultLimits)}
}

func (b *bench) scan(t testing.TB, body string) *event.Index {
	t.Helper()
	ix := &event.Index{}
	require.NoError(t, b.scanner.Scan([]byte(body), ix), body)
	return ix
}

func (b *bench) check(t testing.TB, body string) (faults []string, stripped string) {
	t.Helper()
	ix := b.scan(t, body)
	c, fault := b.set.Select("signed_up", "")
	require.Nil(t, fault)
	var res contract.Result
	c.Check(ix, &res)
	for _, f := range res.Faults {
		faults = append(faults, f.Code+" "+f.Path)
		assert.NotEmpty(t, f.Remedy)
	}
	return faults, string(contract.AppendWithout(nil, ix, res.Remove))
}

// TestCheckProperties has one case for each rule and type; each is the properties of an event.
func TestCheckProperties(t *testing.T) {
	b := newBench(t, signedUp)
	cases := map[string]struct {
		properties string
		faults     []string
	}{
		"everything right": {`{"plan":"pro","nick":"anna","text":"x","seats":5,"days":-3,"amount":1.5e3,"flag":true,"when":"2026-04-13T09:59:58.120+02:00",` +
			`"extra":{"a":[1,{}]},"tags":["a","bb"],"address":{"city":"Bern"},"items":[{"sku":"s","count":2},{"sku":"t"}]}`, nil},
		"required is absent":         {`{}`, []string{"contract.required properties.plan"}},
		"required is null":           {`{"plan":null}`, []string{"contract.required properties.plan"}},
		"null for others":            {`{"plan":"pro","nick":null,"seats":null,"when":null,"tags":null,"address":null,"items":null}`, nil},
		"no properties":              {`null`, []string{"contract.required properties.plan"}},
		"properties are a list":      {`[]`, []string{"contract.type properties"}},
		"string is a number":         {`{"plan":7}`, []string{"contract.type properties.plan"}},
		"string is an object":        {`{"plan":"pro","text":{"a":1}}`, []string{"contract.type properties.text"}},
		"string is a boolean":        {`{"plan":"pro","text":true}`, []string{"contract.type properties.text"}},
		"integer is text":            {`{"plan":"pro","days":"3"}`, []string{"contract.type properties.days"}},
		"integer has a fraction":     {`{"plan":"pro","days":3.5}`, []string{"contract.type properties.days"}},
		"integer has an exponent":    {`{"plan":"pro","days":3e1}`, []string{"contract.type properties.days"}},
		"integer beyond 64 bits":     {`{"plan":"pro","days":123456789012345678901234567890}`, nil},
		"number is text":             {`{"plan":"pro","amount":"1"}`, []string{"contract.type properties.amount"}},
		"number is an integer":       {`{"plan":"pro","amount":1}`, nil},
		"boolean is text":            {`{"plan":"pro","flag":"true"}`, []string{"contract.type properties.flag"}},
		"boolean is 1":               {`{"plan":"pro","flag":1}`, []string{"contract.type properties.flag"}},
		"timestamp has no zone":      {`{"plan":"pro","when":"2026-04-13T09:59:58"}`, []string{"contract.type properties.when"}},
		"timestamp is a number":      {`{"plan":"pro","when":1776074398}`, []string{"contract.type properties.when"}},
		"timestamp with escapes":     {`{"plan":"pro","when":"2026-04-13\u005409:59:58Z"}`, nil},
		"enum, other value":          {`{"plan":"gold"}`, []string{"contract.enum properties.plan"}},
		"enum, case counts":          {`{"plan":"Pro"}`, []string{"contract.enum properties.plan"}},
		"enum, escaped value":        {`{"plan":"\u0070ro"}`, nil},
		"enum, beyond ASCII":         {`{"plan":"gr\u00f6ßer"}`, nil},
		"enum of integers":           {`{"plan":"pro","seats":2}`, []string{"contract.enum properties.seats"}},
		"length, just fits":          {`{"plan":"pro","nick":"áéíóú"}`, nil},
		"length, escapes count once": {`{"plan":"pro","nick":"\u00e1\u00e9\u00ed\u00f3\u00fa"}`, nil},
		"length, one too many":       {`{"plan":"pro","nick":"áéíóúx"}`, []string{"contract.length properties.nick"}},
		"array is an object":         {`{"plan":"pro","tags":{"0":"a"}}`, []string{"contract.type properties.tags"}},
		"array is a value":           {`{"plan":"pro","tags":"a"}`, []string{"contract.type properties.tags"}},
		"element of another type":    {`{"plan":"pro","tags":["a",7]}`, []string{"contract.type properties.tags[]"}},
		"element is null":            {`{"plan":"pro","tags":[null]}`, []string{"contract.type properties.tags[]"}},
		"element is a list":          {`{"plan":"pro","tags":[["a"]]}`, []string{"contract.type properties.tags[]"}},
		"element, length and enum":   {`{"plan":"pro","tags":["long"]}`, []string{"contract.length properties.tags[]", "contract.enum properties.tags[]"}},
		"object is a list":           {`{"plan":"pro","address":[]}`, []string{"contract.type properties.address"}},
		"object lacks a property":    {`{"plan":"pro","address":{"zip":"3000"}}`, []string{"contract.required properties.address.city"}},
		"objects, one lacks it":      {`{"plan":"pro","items":[{"sku":"s"},{"count":1}]}`, []string{"contract.required properties.items[].sku"}},
		"objects, one is a value":    {`{"plan":"pro","items":["s"]}`, []string{"contract.type properties.items[]"}},
		"json takes anything":        {`{"plan":"pro","extra":"text"}`, nil},
		"several at once":            {`{"plan":1,"flag":0,"seats":3}`, []string{"contract.type properties.plan", "contract.type properties.flag", "contract.enum properties.seats"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			faults, _ := b.check(t, `{"event_name":"signed_up","properties":`+c.properties+`}`)
			assert.Equal(t, c.faults, faults)
		})
	}
}

func TestCheckBoundsTheFaultsOfAHostileEvent(t *testing.T) {
	b := newBench(t, signedUp)
	faults, _ := b.check(t, `{"properties":{"plan":"pro","tags":[`+strings.Repeat("1,", 400)+`1]}}`)
	assert.Len(t, faults, 16)
}

func TestUndeclaredIsRemoved(t *testing.T) {
	b := newBench(t, signedUp, "event: other\nversion: 1.0.0\nowner: data\nclass: product\nproperties: {secret: {type: string, classification: direct}}\n")
	cases := map[string]struct{ event, want string }{
		"nothing to do":            {`{"event_name":"signed_up","properties":{"plan":"pro"}}`, `{"event_name":"signed_up","properties":{"plan":"pro"}}`},
		"unknown name":             {`{ "properties": { "pet": "cat", "plan": "pro", "pets": [1, {"a": 2}] } }`, `{"properties":{"plan":"pro"}}`},
		"another event's property": {`{"properties":{"secret":"x","plan":"pro"}}`, `{"properties":{"plan":"pro"}}`},
		"escaped name":             {`{"properties":{"p\u0065t":"cat","\u0070lan":"\u0070ro\n"}}`, `{"properties":{"plan":"pro\n"}}`},
		"inside objects":           {`{"properties":{"address":{"city":"Bern","x":{"y":1}},"plan":"pro"}}`, `{"properties":{"address":{"city":"Bern"},"plan":"pro"}}`},
		"inside elements":          {`{"properties":{"items":[{"x":1,"sku":"s"},{"sku":"t","y":2}],"plan":"pro"}}`, `{"properties":{"items":[{"sku":"s"},{"sku":"t"}],"plan":"pro"}}`},
		"inside json stays":        {`{"properties":{"extra":{"x":[1,{"y":"\u00e9"}]},"plan":"pro"}}`, `{"properties":{"extra":{"x":[1,{"y":"é"}]},"plan":"pro"}}`},
		"all of it":                {`{"properties":{"x":1}}`, `{"properties":{}}`},
		"the envelope's own": {
			`{"x":1,"subject":{"user_id":"u","ssn":"1"},"context":{"source":"web","screen":{"w":1}},"consent":{"sales":true}}`,
			`{"subject":{"user_id":"u"},"context":{"source":"web"},"consent":{"sales":true}}`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, stripped := b.check(t, c.event)
			assert.Equal(t, c.want, stripped)
		})
	}
}

func TestAppendWithoutTakesAnyPositions(t *testing.T) {
	b := newBench(t, signedUp)
	ix := b.scan(t, `{"a":{"b":[1,2,{"c":3}],"d":4},"e":[5,[6]],"f":7}`)
	positions := map[string]uint32{}
	for i := range ix.Nodes {
		positions[string(ix.At(i).Raw())] = uint32(i)
	}
	at := func(raw ...string) []uint32 {
		var list []uint32
		for _, r := range raw {
			list = append(list, positions[r])
		}
		return list
	}
	for want, remove := range map[string][]uint32{
		`{"a":{"b":[1,2,{"c":3}],"d":4},"e":[5,[6]],"f":7}`: nil,
		`{"a":{"b":[2,{"c":3}],"d":4},"e":[5,[6]],"f":7}`:   at("1"),
		`{"a":{"b":[1,2,{}]},"e":[5,[]],"f":7}`:             at("3", "4", "6"),
		`{"e":[5,[6]]}`:                                     at(`{"b":[1,2,{"c":3}],"d":4}`, "1", `{"c":3}`, "3", "7"),
		`{"a":{},"f":7}`:                                    at(`[1,2,{"c":3}]`, "2", "3", "4", "[5,[6]]", "5", "[6]", "6"),
	} {
		assert.Equal(t, want, string(contract.AppendWithout(nil, ix, remove)))
	}
}

func TestUndeclaredQuarantinesWhereTheContractSaysSo(t *testing.T) {
	b := newBench(t, strings.Replace(signedUp, "properties:", "undeclared: quarantine\nproperties:", 1))
	faults, stripped := b.check(t, `{"x_someone@example":1,"properties":{"plan":"pro","pet":"cat","address":{"city":"Bern","dog":1},"items":[{"sku":"s","eel":1}]}}`)
	assert.Equal(t, []string{"contract.undeclared properties.?", "contract.undeclared properties.address.?", "contract.undeclared properties.items[].?"}, faults)
	assert.Equal(t, `{"properties":{"plan":"pro","pet":"cat","address":{"city":"Bern","dog":1},"items":[{"sku":"s","eel":1}]}}`, stripped,
		"the envelope is not the contract's, what it does not have is removed")
}

func TestCheckNeedsTheDictionaryItWasBoundTo(t *testing.T) {
	b := newBench(t, signedUp)
	other := newBench(t, signedUp)
	c, _ := b.set.Select("signed_up", "")
	var res contract.Result
	c.Check(other.scan(t, `{"properties":{"plan":"pro"}}`), &res)
	require.Len(t, res.Faults, 1)
	assert.Equal(t, contract.CodeUnbound, res.Faults[0].Code)
	var unbound contract.Contract
	unbound.Check(b.scan(t, `{}`), &res)
	require.Len(t, res.Faults, 1)
	assert.Equal(t, contract.CodeUnbound, res.Faults[0].Code)
}

func TestFaultsHoldNoValues(t *testing.T) {
	b := newBench(t, signedUp)
	ix := b.scan(t, `{"properties":{"plan":"canary","nick":"canarycanary","seats":"canary","when":"canary","canary":1}}`)
	c, _ := b.set.Select("signed_up", "")
	var res contract.Result
	c.Check(ix, &res)
	require.Len(t, res.Faults, 4)
	for _, f := range res.Faults {
		assert.NotContains(t, f.Error(), "canary")
	}
}

const goodEvent = `{"event_name":"signed_up","event_id":"evt_1","timestamp":"2026-04-13T09:59:58.120Z","subject":{"user_id":"u_1"},` +
	`"context":{"source":"web_app","schema_version":"1.4.2"},"properties":{"plan":"pro","nick":"anna","text":"x","seats":5,"days":3,"amount":1.5,` +
	`"flag":true,"when":"2026-04-13T09:59:58.120Z","tags":["a","bb"],"address":{"city":"Bern"},"items":[{"sku":"s","count":2},{"sku":"t"}]}}`

func TestCheckDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	b := newBench(t, signedUp)
	ix := b.scan(t, goodEvent)
	var res contract.Result
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		c, fault := b.set.For(ix)
		if fault != nil {
			t.Fatal(fault)
		}
		c.Check(ix, &res)
	}))
	assert.Empty(t, res.Faults)
	assert.Empty(t, res.Remove)
	crowded := b.scan(t, strings.Replace(goodEvent, `"flag":true`, `"\u0078":1,"flag":true`, 1))
	dst := make([]byte, 0, 4096)
	c, _ := b.set.For(crowded)
	c.Check(crowded, &res)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		c.Check(crowded, &res)
		dst = contract.AppendWithout(dst[:0], crowded, res.Remove)
	}), "with something to remove")
	assert.Equal(t, goodEvent, string(dst))
}

func BenchmarkCheck(b *testing.B) {
	bench := newBench(b, signedUp)
	ix := bench.scan(b, goodEvent)
	var res contract.Result
	b.SetBytes(int64(len(goodEvent)))
	b.ReportAllocs()
	for b.Loop() {
		c, _ := bench.set.For(ix)
		c.Check(ix, &res)
	}
}
