package contract_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
)

func versionsOf(event string, versions ...string) string {
	var docs []string
	for _, v := range versions {
		docs = append(docs, "event: "+event+"\nversion: "+v+"\nowner: data\nclass: product\nproperties: {a: {type: string, classification: none}}\n")
	}
	return strings.Join(docs, "---\n")
}

func TestSelect(t *testing.T) {
	b := newBench(t, versionsOf("signed_up", "1.10.0", "1.4.2", "2.0.0", "1.9.1"), versionsOf("left", "0.1.0"))
	cases := []struct{ event, version, want, code string }{
		{"signed_up", "1.4.2", "1.4.2", ""},
		{"signed_up", "1.10.0", "1.10.0", ""},
		{"signed_up", "1.11.3", "1.10.0", ""},
		{"signed_up", "1.4.3", "1.10.0", ""},
		{"signed_up", "1.0.0", "1.10.0", ""},
		{"signed_up", "2.7.0", "2.0.0", ""},
		{"signed_up", "", "2.0.0", ""},
		{"left", "0.9.9", "0.1.0", ""},
		{"signed_up", "3.0.0", "", contract.CodeUnknownMajor},
		{"signed_up", "0.4.2", "", contract.CodeUnknownMajor},
		{"left", "1.0.0", "", contract.CodeUnknownMajor},
		{"signed_out", "1.0.0", "", contract.CodeUnknownEvent},
		{"", "", "", contract.CodeUnknownEvent},
		{"Signed_Up", "1.4.2", "", contract.CodeUnknownEvent},
		{"signed_up", "1.4", "", contract.CodeVersion},
		{"signed_up", "v1.4.2", "", contract.CodeVersion},
		{"signed_up", "1.4.2-beta", "", contract.CodeVersion},
		{"signed_up", "1.04.2", "", contract.CodeVersion},
		{"signed_up", " 1.4.2", "", contract.CodeVersion},
		{"signed_up", "1.4.2.1", "", contract.CodeVersion},
		{"signed_up", "1..2", "", contract.CodeVersion},
		{"signed_up", "99999999999999999999.0.0", "", contract.CodeVersion},
		{"signed_up", "latest", "", contract.CodeVersion},
	}
	for _, c := range cases {
		t.Run(c.event+" "+c.version, func(t *testing.T) {
			got, fault := b.set.Select(c.event, c.version)
			ix := b.scan(t, `{"event_name":"`+c.event+`","context":{"schema_version":"`+c.version+`"}}`)
			same, sameFault := b.set.For(ix)
			assert.Same(t, got, same)
			assert.Equal(t, fault, sameFault)
			if c.code == "" {
				require.Nil(t, fault)
				assert.Equal(t, c.want, got.Version)
				return
			}
			require.NotNil(t, fault)
			assert.Nil(t, got)
			assert.Equal(t, c.code, fault.Code)
			assert.NotEmpty(t, fault.Remedy)
		})
	}
}

func TestForReadsTheEnvelope(t *testing.T) {
	b := newBench(t, versionsOf("signed_up", "1.0.0", "2.0.0"))
	for body, want := range map[string]string{
		`{"event_name":"signed_up"}`:                                           "2.0.0",
		`{"event_name":"signed\u005fup","context":{"schema_version":null}}`:    "2.0.0",
		`{"event_name":"signed_up","context":{"schema_version":"\u0031.0.0"}}`: "1.0.0",
		`{"event_name":"signed_up","context":{"schema_version":1}}`:            contract.CodeVersion,
		`{"event_name":1}`: contract.CodeUnknownEvent,
		`{}`:               contract.CodeUnknownEvent,
		`{"event_name":"` + strings.Repeat("x", 200) + `"}`: contract.CodeUnknownEvent,
	} {
		c, fault := b.set.For(b.scan(t, body))
		if fault != nil {
			assert.Equal(t, want, fault.Code, body)
		} else {
			assert.Equal(t, want, c.Version, body)
		}
	}
}

func TestSetDescribesItself(t *testing.T) {
	b := newBench(t, signedUp, versionsOf("left", "0.1.0"))
	assert.Equal(t, []string{"left", "signed_up"}, b.set.Events())
	assert.True(t, b.set.Knows("left"))
	assert.False(t, b.set.Knows("right"))
	require.Len(t, b.set.Classes(), 1)
	assert.Equal(t, 400*24*time.Hour, b.set.Classes()[0].Retention)
	assert.Equal(t, "analytics", b.set.Classes()[0].Storage)
	assert.Contains(t, b.set.Paths(), "properties.items[].sku")
	assert.Contains(t, b.set.Paths(), "properties.tags[]")
	assert.Equal(t, []string{"properties.a"}, pathsOf(b.set, "properties.a"))
	assert.True(t, b.set.Container("properties.items"))
	assert.True(t, b.set.Container("properties.items[]"))
	assert.True(t, b.set.Container("properties.tags"))
	assert.True(t, b.set.Container("subject"))
	assert.False(t, b.set.Container("properties.plan"))
	assert.False(t, b.set.Container("properties.tags[]"))

	c, _ := b.set.Select("signed_up", "")
	same, _ := b.set.SelectBytes([]byte("signed_up"), nil)
	assert.Same(t, c, same)
	assert.Equal(t, "contracts/signed_up.yaml", c.File)
	assert.Equal(t, 1, c.Line)
	plan := b.set.Leaf("properties.plan")[0]
	assert.Equal(t, 6, plan.Line)
	assert.Equal(t, "signed_up", plan.Event)
	assert.Equal(t, "string", plan.LeafType().String())
	assert.Equal(t, "quasi", c.Properties[1].Classification.String())
}

func pathsOf(s *contract.Set, path string) []string {
	var paths []string
	for _, p := range s.Leaf(path) {
		paths = append(paths, p.LeafPath())
	}
	return paths
}

func TestTypes(t *testing.T) {
	for _, scalar := range []contract.Type{contract.String, contract.Integer, contract.Number, contract.Boolean, contract.Timestamp} {
		assert.True(t, scalar.Scalar(), scalar)
	}
	for _, other := range []contract.Type{0, contract.Object, contract.Array, contract.JSON} {
		assert.False(t, other.Scalar(), other)
	}
	assert.Equal(t, "json", contract.JSON.String())
	assert.Empty(t, contract.Type(99).String())
	assert.Empty(t, contract.Classification(99).String())
}

func TestAllows(t *testing.T) {
	cases := []struct {
		class   contract.Classification
		allowed []string
		want    bool
	}{
		{contract.None, nil, true},
		{contract.Quasi, nil, true},
		{contract.Sensitive, nil, false},
		{contract.Direct, nil, false},
		{contract.None, []string{"marketing"}, false},
		{contract.None, []string{"marketing", "analytics"}, true},
		{contract.Direct, []string{"analytics"}, true},
		{contract.Direct, []string{"marketing"}, false},
	}
	for _, c := range cases {
		p := contract.Property{Classification: c.class, AllowedFor: c.allowed}
		assert.Equal(t, c.want, p.Allows("analytics"), "%v %v", c.class, c.allowed)
	}
}

func TestClassesMayOpenEnvelopeFields(t *testing.T) {
	set, err := contract.Load(fstest.MapFS{
		"contracts/classes.yaml": {Data: []byte(classes + "envelope: {subject.user_id: {allowed_for: [marketing]}}\n")},
	}, "contracts")
	require.NoError(t, err)
	assert.True(t, set.Leaf("subject.user_id")[0].Allows("marketing"))
	assert.False(t, set.Leaf("subject.user_id")[0].Allows("analytics"))
	assert.False(t, set.Leaf("context.ip")[0].Allows("marketing"))
}

func TestPropertiesThatOnlyAServerMaySend(t *testing.T) {
	load := func(from string) (*contract.Set, error) {
		return contract.Load(fstest.MapFS{
			"contracts/classes.yaml": {Data: []byte(classes)},
			"contracts/paid.yaml": {Data: []byte("event: paid\nversion: 1.0.0\nowner: product\nclass: product\nproperties:\n" +
				"  amount: { type: integer, classification: none" + from + " }\n  note: { type: string, classification: none }\n")},
		}, "contracts")
	}
	set, err := load(", from: server")
	require.NoError(t, err)
	assert.True(t, set.All()[0].Properties[0].ServerOnly)
	assert.False(t, set.All()[0].Properties[1].ServerOnly)
	_, err = load(", from: browser")
	assert.ErrorContains(t, err, "properties.amount.from")
}

func TestLoadMissingFolder(t *testing.T) {
	_, err := contract.Load(fstest.MapFS{}, "contracts")
	assert.EqualError(t, err, "contracts: folder cannot be read: create it with one YAML file per event\n"+
		"contracts/classes.yaml: file cannot be read: create it and make it readable")
}

func FuzzLoad(f *testing.F) {
	shipped, err := os.ReadFile("../../pipelines/contracts/invoice_paid.yaml")
	require.NoError(f, err)
	f.Add(shipped)
	f.Add([]byte(signedUp))
	f.Add([]byte("event: &a x\nproperties: {a: *a, <<: *a}"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Add([]byte("\"event\": !!binary aGk=\n--- \n- - -"))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := contract.Load(fstest.MapFS{
			"contracts/classes.yaml":   {Data: []byte(classes)},
			"contracts/signed_up.yaml": {Data: text},
		}, "contracts")
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		dict, err := event.NewDictionary(set.Paths()...)
		require.NoError(t, err, "what loads can be numbered")
		set = set.Bind(dict)
		require.NotEmpty(t, set.All())
		ix := &event.Index{}
		require.NoError(t, event.NewScanner(dict, event.DefaultLimits).Scan([]byte(goodEvent), ix))
		var res contract.Result
		for _, c := range set.All() {
			require.NotNil(t, c.Class)
			c.Check(ix, &res)
		}
	})
}
