package mask

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// refused marks a case whose value must be refused.
const refused = "\x00refused"

type example struct{ in, want string }

// check runs a transform on each example, with room in dst and without, and sees that a refusal appends nothing.
func check(t *testing.T, transform Transform, examples []example) {
	t.Helper()
	for _, e := range examples {
		for _, dst := range [][]byte{nil, append(make([]byte, 0, 256), "dst:"...)} {
			before := string(dst)
			in := []byte(e.in)
			got, err := transform.Append(dst, in)
			assert.Equal(t, e.in, string(in), "the input is only read")
			if e.want == refused {
				var refusal *Error
				require.ErrorAs(t, err, &refusal, "%q", e.in)
				assert.Equal(t, before, string(got), "%q: a refusal appends nothing", e.in)
				if strings.ContainsAny(e.in, "0123456789@") {
					assert.NotContains(t, err.Error(), e.in)
				}
				continue
			}
			require.NoError(t, err, "%q", e.in)
			assert.Equal(t, before+e.want, string(got), "%q", e.in)
		}
	}
}

func must(t testing.TB, transform Transform, err error) Transform {
	t.Helper()
	require.NoError(t, err)
	return transform
}

// all has one of each transform, ready for use.
func all(t testing.TB) []Transform {
	key, id := keys.ForTesting("mask").Token("analytics", "properties.email")
	ip, errIP := TruncateIP(24, 48)
	day, errTime := TruncateTime("day")
	short, errShort := Truncate(3)
	size, errBucket := Bucket([]float64{10, 50, 100})
	require.NoError(t, errors.Join(errIP, errTime, errShort, errBucket))
	return []Transform{Tokenize(key, id), TokenizeEmail(key, id), MaskEmail(), MaskPhone(), LastFour(), ip, day, short, size, Scrub()}
}

func TestNoTransformPanicsOrForwardsHostileInput(t *testing.T) {
	hostile := []string{
		"", " ", "\x00", "\xff", "\xc3\x28", "\xed\xa0\x80", "\ufeff", "\u202e", strings.Repeat("a", 1<<20), strings.Repeat("@", 1<<16),
		strings.Repeat("%40", 1<<15), strings.Repeat("1", 1<<16), strings.Repeat("1-", 1<<15), strings.Repeat(":", 1<<16), strings.Repeat("a:", 1<<15),
		strings.Repeat("é@", 1<<14), strings.Repeat("\u200b", 1<<14), "null", "{}", "[]", "true", "NaN", "Infinity", "-", "+", "()", "@", "a@", "@a", ".", "::", "1e999",
		"' OR 1=1 --", "<script>alert(1)</script>", "${jndi:ldap://x}", "\u0000@\u0000.\u0000",
	}
	for _, transform := range all(t) {
		for _, in := range hostile {
			got, err := transform.Append([]byte("x"), []byte(in))
			if err != nil {
				assert.Equal(t, "x", string(got), transform.Name())
				var refusal *Error
				require.ErrorAs(t, err, &refusal)
				assert.True(t, strings.HasPrefix(refusal.Code, "mask."))
				assert.Equal(t, refusal.Code+": expected "+refusal.Expected, err.Error())
				continue
			}
			assert.True(t, utf8.Valid(got), "%s of %.20q", transform.Name(), in)
		}
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("allocations cannot be counted under the race detector")
	}
	inputs := map[string]string{
		"tokenize": "alice@example.com", "mask: email": "alice@example.com", "mask: phone": "+49 (170) 1234567", "mask: last_four": "4111 1111 1111 1111",
		"truncate_ip": "2001:db8:1:2::3", "truncate_time": "2026-04-13T09:59:58.120Z", "truncate": "héllo wörld", "bucket": "42.5",
		"scrub": "Call +49 170 1234567 or write to jösé@example.com from 10.0.0.1, card 4111 1111 1111 1111",
	}
	dst := make([]byte, 0, 512)
	for _, transform := range all(t) {
		in := []byte(inputs[transform.Name()])
		_, err := transform.Append(dst, in)
		require.NoError(t, err, transform.Name())
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = transform.Append(dst, in) }), transform.Name())
		if transform.Name() == "truncate" || transform.Name() == "scrub" {
			continue
		}
		bad := []byte("\xff not understood \xff")
		if _, err := transform.Append(dst, bad); err != nil {
			assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = transform.Append(dst, bad) }), "refusing: %s", transform.Name())
		}
	}
}

func TestKindsHas(t *testing.T) {
	every := String | Integer | Number | Boolean | Timestamp
	names := []string{"string", "integer", "number", "boolean", "timestamp"}
	for i, name := range names {
		assert.True(t, every.Has(name))
		assert.True(t, Kinds(1<<i).Has(name))
		assert.False(t, (every &^ Kinds(1<<i)).Has(name))
	}
	for _, name := range []string{"", "object", "array", "json", "String"} {
		assert.False(t, every.Has(name))
	}
	for _, transform := range all(t) {
		assert.NotZero(t, transform.Kinds(), transform.Name())
		assert.NotEmpty(t, transform.Name())
		assert.False(t, transform.Kinds().Has("boolean"), "no transform hides one bit")
	}
}

func TestTokenize(t *testing.T) {
	ring := keys.ForTesting("mask")
	key, id := ring.Token("analytics", "subject.user_id")
	token := func(transform Transform, value string) string {
		out, err := transform.Append(nil, []byte(value))
		require.NoError(t, err)
		return string(out)
	}
	tokenize := Tokenize(key, id)
	assert.Regexp(t, `^t1\.test0000\.[0-9a-v]{26}$`, token(tokenize, "u_123"))
	assert.Equal(t, token(tokenize, "u_123"), token(Tokenize(key, id), "u_123"), "deterministic")
	check(t, tokenize, []example{{"", refused}})

	distinct := map[string]string{}
	for _, value := range []string{"A", "a", " a", "a ", "1", "1.0", "é", "e\u0301", "\x00", "\xff", strings.Repeat("a", 1<<16)} {
		got := token(tokenize, value)
		assert.Empty(t, distinct[got], "%.10q", value)
		distinct[got] = value
	}
	for _, pair := range [][2]string{{"activation", "subject.user_id"}, {"analytics", "subject.account_id"}} {
		otherKey, otherID := ring.Token(pair[0], pair[1])
		assert.NotEqual(t, token(tokenize, "u_123"), token(Tokenize(otherKey, otherID), "u_123"), "%v cannot be joined", pair)
	}
	late := Tokenize(key, id)
	clear(key)
	assert.Equal(t, distinct[token(late, "A")], "A", "the key was copied")
}

func TestTokenMatchesAnIndependentVector(t *testing.T) {
	out, err := Tokenize(bytes.Repeat([]byte{0x0b}, 20), "vect").Append(nil, []byte("Hi There")) // RFC 4231 test case 1
	require.NoError(t, err)
	assert.Equal(t, "t1.vect.m0q4ooeorcs56n58lv7au2vh5c", string(out))
}

func TestTokenizeEmailCanonicalisation(t *testing.T) {
	key, id := keys.ForTesting("mask").Token("analytics", "properties.email")
	token := func(value string) string {
		out, err := TokenizeEmail(key, id).Append(nil, []byte(value))
		require.NoError(t, err, value)
		return string(out)
	}
	for _, same := range []string{"Alice@Example.COM", " alice@example.com", "alice@example.com\n", "\u00a0ALICE@EXAMPLE.COM\t"} {
		assert.Equal(t, token("alice@example.com"), token(same), "%q", same)
	}
	assert.Equal(t, token("jos\u00e9@example.com"), token("JOSE\u0301@example.com"), "NFC after lower case")
	for _, other := range []string{"a.lice@example.com", "alice+tag@example.com", "alice@example.org", "al\u00edce@example.com"} {
		assert.NotEqual(t, token("alice@example.com"), token(other), "%q", other)
	}
	exact, err := Tokenize(key, id).Append(nil, []byte("alice@example.com"))
	require.NoError(t, err)
	assert.Equal(t, string(exact), token("Alice@Example.com"), "both spell the canonical form alike")
	check(t, TokenizeEmail(key, id), []example{{"", refused}, {" ", refused}, {"alice", refused}, {"a@b@c.com", refused}, {"alice@\xff.com", refused}})
}

func TestUnboundTokenizeRefusesEverything(t *testing.T) {
	for _, arg := range []any{nil, map[string]any{"as": "email"}} {
		transform, err := Parse("tokenize", arg)
		require.NoError(t, err)
		check(t, transform, []example{{"alice@example.com", refused}, {"", refused}})
		keyed, ok := transform.(Keyed)
		require.True(t, ok)
		key, id := keys.ForTesting("mask").Token("analytics", "x")
		bound := keyed.Bind(key, id)
		_, err = bound.Append(nil, []byte("alice@example.com"))
		assert.NoError(t, err)
		assert.Equal(t, transform.Kinds(), bound.Kinds())
		check(t, transform, []example{{"alice@example.com", refused}})
	}
}

func TestTokenizerCannotBePrinted(t *testing.T) {
	key := []byte("0123456789abcdefghijklmnopqrstuv")
	transform := Tokenize(key, "test")
	_, err := transform.Append(nil, []byte("u"))
	require.NoError(t, err)
	var dump recorder
	assert.Nil(&dump, transform)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", transform, transform, transform), dump.String()} {
		assert.NotContains(t, text, "0123456789")
		assert.NotContains(t, text, "48 49 50")
		assert.NotContains(t, text, "303132")
	}
}

type recorder struct{ strings.Builder }

func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(r, format, args...) }

func TestTokensDoNotContainTheValue(t *testing.T) {
	key, id := keys.ForTesting("mask").Token("analytics", "x")
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[a-z0-9@.]{6,30}`).Draw(t, "value")
		out, err := Tokenize(key, id).Append(nil, []byte(value))
		if err != nil || len(out) != len("t1.test0000.")+26 || strings.Contains(string(out[12:]), value) {
			t.Fatalf("%s: %s %v", value, out, err)
		}
	})
}

func BenchmarkTransforms(b *testing.B) {
	inputs := []string{"u_123", "alice@example.com", "alice@example.com", "+49 170 1234567", "4111111111111111", "203.0.113.9", "2026-04-13T09:59:58.120Z", "hello", "42", strings.Repeat("A quiet sentence about nothing. ", 8)}
	for i, transform := range all(b) {
		b.Run(fmt.Sprintf("%d/%s", i, strings.ReplaceAll(transform.Name(), ": ", "_")), func(b *testing.B) {
			dst, in := make([]byte, 0, 512), []byte(inputs[i])
			b.ReportAllocs()
			for b.Loop() {
				_, _ = transform.Append(dst, in)
			}
		})
	}
}
