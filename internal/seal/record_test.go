package seal

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// carried returns the headers of a sealed record as a sink would look them up.
func carried(rec *Record, text string) map[string]string {
	headers := map[string]string{HeaderSeal: text}
	for _, header := range rec.Headers() {
		headers[header.Name] = header.Value
	}
	return headers
}

func lookup(headers map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := headers[name]
		return value, ok
	}
}

func TestHeadersAreCompleteAndInOrder(t *testing.T) {
	names := []string{}
	for _, header := range example().Headers() {
		names = append(names, header.Name)
		assert.NotEmpty(t, header.Value)
	}
	assert.Equal(t, HeaderNames[:], names)
	assert.Empty(t, (&Record{SrcPartition: 3, Key: "k", Body: []byte("b")}).Headers(), "empty values are left out")
}

func TestRoundTripThroughHeaders(t *testing.T) {
	ring := keys.ForTesting("a")
	sealer, verifier := NewSealer(ring, "analytics"), NewVerifier(ring, "analytics")
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringN(0, 12, 40)
		rec := &Record{
			Destination: "analytics", Policy: s.Draw(t, "policy"), EventID: s.Draw(t, "event"), Topic: s.Draw(t, "topic"),
			SubjectKey: s.Draw(t, "subject"), CorrelationID: s.Draw(t, "correlation"), Class: s.Draw(t, "class"), Requires: s.Draw(t, "requires"),
			ConsentVersion: s.Draw(t, "version"), Body: []byte(s.Draw(t, "body")),
		}
		rec.Key = PrimaryKey(rec.SubjectKey)
		if rapid.Bool().Draw(t, "source") {
			rec.SrcTopic, rec.SrcPartition, rec.SrcOffset = "events.validated", rapid.Int32().Draw(t, "p"), rapid.Int64().Draw(t, "o")
		}
		got, text, err := FromHeaders(lookup(carried(rec, sealer.Seal(rec))), rec.Topic, rec.Key, rec.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(got, text); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFromHeadersRefusals(t *testing.T) {
	ring := keys.ForTesting("a")
	sealer, verifier := NewSealer(ring, "analytics"), NewVerifier(ring, "analytics")
	cases := map[string]struct {
		change     func(headers map[string]string)
		topic, key string
		want       error
	}{
		"no headers":          {func(h map[string]string) { clear(h) }, "", "", ErrMissing},
		"no seal":             {func(h map[string]string) { delete(h, HeaderSeal) }, "", "", ErrMissing},
		"read elsewhere":      {nil, "events.authorized.activation", "", ErrMismatch},
		"another key":         {nil, "", "sk1b", ErrMismatch},
		"the whole list":      {nil, "", "sk1a,sk1b", ErrMismatch},
		"no topic header":     {func(h map[string]string) { delete(h, HeaderTopic) }, "", "", ErrMismatch},
		"no source offset":    {func(h map[string]string) { delete(h, HeaderSrcOffset) }, "", "", ErrMismatch},
		"no source partition": {func(h map[string]string) { delete(h, HeaderSrcPartition) }, "", "", ErrMismatch},
		"no source topic":     {func(h map[string]string) { delete(h, HeaderSrcTopic) }, "", "", ErrMismatch},
		"plus sign":           {func(h map[string]string) { h[HeaderSrcOffset] = "+881" }, "", "", ErrMismatch},
		"leading zero":        {func(h map[string]string) { h[HeaderSrcPartition] = "03" }, "", "", ErrMismatch},
		"too large":           {func(h map[string]string) { h[HeaderSrcPartition] = "4294967299" }, "", "", ErrMismatch},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			rec := example()
			headers := carried(rec, sealer.Seal(rec))
			if c.change != nil {
				c.change(headers)
			}
			topic, key := rec.Topic, rec.Key
			if c.topic != "" {
				topic = c.topic
			}
			if c.key != "" {
				key = c.key
			}
			got, text, err := FromHeaders(lookup(headers), topic, key, rec.Body)
			require.ErrorIs(t, err, c.want)
			assert.Nil(t, got)
			assert.Empty(t, text)
			for _, value := range []string{"events.authorized", "sk1"} {
				assert.NotContains(t, err.Error(), value)
			}
		})
	}
	// What FromHeaders cannot know is left to Verify.
	for _, name := range HeaderNames {
		rec := example()
		headers := carried(rec, sealer.Seal(rec))
		headers[name] += "1"
		got, text, err := FromHeaders(lookup(headers), rec.Topic, rec.Key, rec.Body)
		if err == nil {
			err = verifier.Verify(got, text)
		}
		assert.Error(t, err, name)
		delete(headers, name)
		got, text, err = FromHeaders(lookup(headers), rec.Topic, rec.Key, rec.Body)
		if err == nil {
			err = verifier.Verify(got, text)
		}
		assert.Error(t, err, name)
	}
}

func TestPrimaryKey(t *testing.T) {
	for list, want := range map[string]string{"": "", "a": "a", "a,b": "a", ",b": "", "a,b,c": "a"} {
		assert.Equal(t, want, PrimaryKey(list))
	}
}
