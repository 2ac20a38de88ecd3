package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/keys"
)

func example() *Record {
	return &Record{
		Destination: "analytics", Policy: "2026-11-01", EventID: "evt_1", Topic: "events.authorized.analytics",
		Key: "sk1a", SubjectKey: "sk1a,sk1b", CorrelationID: "req_1", Class: "product",
		Requires: "analytics;marketing=properties.utm_campaign", ConsentVersion: "7",
		SrcTopic: "events.validated", SrcPartition: 3, SrcOffset: 881,
		Body: []byte(`{"event_name":"trial_started"}`),
	}
}

// TestSealMatchesAnIndependentVector pins the format: the value was computed with another language's HMAC.
func TestSealMatchesAnIndependentVector(t *testing.T) {
	sealer := NewSealer(keys.ForTesting("vector"), "analytics")
	assert.Equal(t, "s1.test0000.ajd2S8Q31TeVpdWZ-E-xDgINuIxfpOv2ZC9lcCj18h0", sealer.Seal(example()))
}

// RFC 4231 test case 2: the primitive under a seal is HMAC-SHA256.
func TestHMACVector(t *testing.T) {
	mac := hmac.New(sha256.New, []byte("Jefe"))
	mac.Write([]byte("what do ya want for nothing?"))
	assert.Equal(t, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", hex.EncodeToString(mac.Sum(nil)))
}

func TestVerifyAcceptsWhatWasSealed(t *testing.T) {
	ring := keys.ForTesting("a")
	sealer, verifier := NewSealer(ring, "analytics"), NewVerifier(ring, "analytics")
	for _, body := range [][]byte{nil, {}, []byte("{}"), make([]byte, 1<<20)} {
		rec := example()
		rec.Body = body
		assert.NoError(t, verifier.Verify(rec, sealer.Seal(rec)))
	}
	rec := &Record{Destination: "analytics"}
	assert.NoError(t, verifier.Verify(rec, sealer.Seal(rec)))
}

// TestEveryBitIsCovered walks all fields by reflection, so a field that is added but not sealed fails here.
func TestEveryBitIsCovered(t *testing.T) {
	ring := keys.ForTesting("a")
	sealer, verifier := NewSealer(ring, "analytics"), NewVerifier(ring, "analytics")
	text := sealer.Seal(example())
	refused := 0
	refuse := func(what string, rec *Record, text string) {
		refused++
		require.Error(t, verifier.Verify(rec, text), what)
	}
	fields := reflect.TypeFor[Record]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		value := reflect.ValueOf(example()).Elem().Field(i)
		switch value.Kind() {
		case reflect.String, reflect.Slice:
			data := []byte(value.Convert(reflect.TypeFor[[]byte]()).Bytes())
			for bit := range len(data) * 8 {
				flipped := append([]byte(nil), data...)
				flipped[bit/8] ^= 1 << (bit % 8)
				rec := example()
				field := reflect.ValueOf(rec).Elem().Field(i)
				field.Set(reflect.ValueOf(flipped).Convert(field.Type()))
				refuse(fmt.Sprintf("%s bit %d", name, bit), rec, text)
			}
			for _, other := range [][]byte{nil, data[:len(data)-1], append(data[:len(data):len(data)], 0), data[1:]} {
				rec := example()
				field := reflect.ValueOf(rec).Elem().Field(i)
				field.Set(reflect.ValueOf(other).Convert(field.Type()))
				refuse(name+" of another length", rec, text)
			}
		case reflect.Int32, reflect.Int64:
			for bit := range value.Type().Bits() {
				rec := example()
				field := reflect.ValueOf(rec).Elem().Field(i)
				field.SetInt(int64(uint64(field.Int()) ^ 1<<bit))
				refuse(fmt.Sprintf("%s bit %d", name, bit), rec, text)
			}
		default:
			t.Fatalf("field %s of kind %s is not covered by this test", name, value.Kind())
		}
	}
	for bit := range len(text) * 8 {
		flipped := []byte(text)
		flipped[bit/8] ^= 1 << (bit % 8)
		refuse(fmt.Sprintf("seal bit %d", bit), example(), string(flipped))
	}
	require.Greater(t, refused, 1900)
	require.NoError(t, verifier.Verify(example(), text))
}

func TestMovingBytesBetweenFieldsIsRefused(t *testing.T) {
	ring := keys.ForTesting("a")
	sealer, verifier := NewSealer(ring, "analytics"), NewVerifier(ring, "analytics")
	text := sealer.Seal(example())
	strs := func(rec *Record) []*string {
		return []*string{&rec.Policy, &rec.EventID, &rec.Topic, &rec.Key, &rec.SubjectKey, &rec.CorrelationID, &rec.Class, &rec.Requires, &rec.ConsentVersion, &rec.SrcTopic}
	}
	for i := range len(strs(example())) - 1 {
		rec := example()
		fields := strs(rec)
		a, b := fields[i], fields[i+1]
		*a, *b = *a+(*b)[:1], (*b)[1:]
		assert.ErrorIs(t, verifier.Verify(rec, text), ErrMismatch)
	}
}

func TestInputIsInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) *Record {
			s := rapid.StringMatching(`[ab\x00]{0,3}`)
			return &Record{
				Destination: s.Draw(t, name), Policy: s.Draw(t, name), EventID: s.Draw(t, name), Topic: s.Draw(t, name),
				SrcTopic: s.Draw(t, name), SrcOffset: int64(rapid.IntRange(0, 2).Draw(t, name)), Body: []byte(s.Draw(t, name)),
			}
		}
		a, b := draw("a"), draw("b")
		input := func(r *Record) string { return string(appendInput(nil, r)) + string(r.Body) }
		if (input(a) == input(b)) != reflect.DeepEqual(a, b) {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

func TestRefusals(t *testing.T) {
	ring := keys.ForTesting("a")
	verifier := NewVerifier(ring, "analytics")
	good := NewSealer(ring, "analytics").Seal(example())
	other := example()
	other.Destination = "activation"
	mac := good[len(good)-macText:]
	cases := map[string]struct {
		rec  *Record
		text string
		want error
	}{
		"no seal":                     {example(), "", ErrMissing},
		"another destination's":       {other, NewSealer(ring, "activation").Seal(other), ErrDestination},
		"relabelled":                  {example(), NewSealer(ring, "activation").Seal(other), ErrMismatch},
		"relabelled the other way":    {other, good, ErrDestination},
		"another workspace's":         {example(), NewSealer(keys.ForTesting("b"), "analytics").Seal(example()), ErrMismatch},
		"unknown key":                 {example(), "s1.unknown0." + mac, ErrUnknownKey},
		"unknown version":             {example(), "s2" + good[2:], ErrMismatch},
		"no key id":                   {example(), "s1.." + mac, ErrMismatch},
		"key id too long":             {example(), "s1." + strings.Repeat("k", 17) + "." + mac, ErrMismatch},
		"key id of other characters":  {example(), "s1.TEST0000." + mac, ErrMismatch},
		"truncated":                   {example(), good[:len(good)-1], ErrMismatch},
		"extended":                    {example(), good + "A", ErrMismatch},
		"padded":                      {example(), good + "=", ErrMismatch},
		"only the prefix":             {example(), "s1.", ErrMismatch},
		"not a seal":                  {example(), "trust me", ErrMismatch},
		"surrounded by space":         {example(), " " + good, ErrMismatch},
		"second spelling of the bits": {example(), secondSpelling(t, good), ErrMismatch},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, verifier.Verify(c.rec, c.text)) })
	}
}

// secondSpelling changes the two bits of the last character that carry nothing: lenient decoders read the same MAC.
func secondSpelling(t *testing.T, text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, text[len(text)-1])
	require.Zero(t, last%4)
	return text[:len(text)-1] + alphabet[last+1:last+2]
}

func TestSealerRefusesAnotherDestination(t *testing.T) {
	rec := example()
	rec.Destination = "activation"
	assert.Empty(t, NewSealer(keys.ForTesting("a"), "analytics").Seal(rec))
}

func TestRotationAcceptsOldSealsAndWaitsForNewKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(path))
	before, err := keys.Load(path)
	require.NoError(t, err)
	_, err = keys.Rotate(path)
	require.NoError(t, err)
	after, err := keys.Load(path)
	require.NoError(t, err)

	oldSeal, newSeal := NewSealer(before, "analytics").Seal(example()), NewSealer(after, "analytics").Seal(example())
	require.NotEqual(t, oldSeal, newSeal)
	assert.NoError(t, NewVerifier(after, "analytics").Verify(example(), oldSeal))
	assert.NoError(t, NewVerifier(after, "analytics").Verify(example(), newSeal))
	assert.Equal(t, ErrUnknownKey, NewVerifier(before, "analytics").Verify(example(), newSeal))
}

// TestComparisonIsConstantTime reads this package's sources: MACs may only be compared with hmac.Equal.
func TestComparisonIsConstantTime(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	uses := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		uses += strings.Count(string(source), "hmac.Equal(")
		for _, banned := range []string{"bytes.Equal", "bytes.Compare", "strings.Compare", "strings.EqualFold", "slices.Equal", "reflect.DeepEqual"} {
			assert.NotContains(t, string(source), banned, file)
		}
	}
	assert.Equal(t, 1, uses)
}

func TestErrorsHoldNoValues(t *testing.T) {
	for _, err := range []*Error{ErrMissing, ErrDestination, ErrMismatch, ErrUnknownKey} {
		assert.True(t, strings.HasPrefix(err.Code, "seal."))
		assert.Equal(t, err.Code+": "+err.Remedy, err.Error())
	}
}

func TestConcurrentUse(t *testing.T) {
	ring := keys.ForTesting("a")
	sealer, verifier := NewSealer(ring, "analytics"), NewVerifier(ring, "analytics")
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := range 300 {
				rec := example()
				rec.SrcOffset, rec.SrcPartition = int64(i), int32(worker)
				text := sealer.Seal(rec)
				assert.NoError(t, verifier.Verify(rec, text))
				rec.SrcOffset++
				assert.Error(t, verifier.Verify(rec, text))
			}
		})
	}
	wait.Wait()
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("allocations cannot be counted under the race detector")
	}
	ring := keys.ForTesting("a")
	sealer, verifier, rec := NewSealer(ring, "analytics"), NewVerifier(ring, "analytics"), example()
	text := sealer.Seal(rec)
	dst := make([]byte, 0, 128)
	assert.NoError(t, verifier.Verify(rec, text))
	assert.Zero(t, testing.AllocsPerRun(200, func() { sealer.AppendSeal(dst, rec) }))
	assert.Zero(t, testing.AllocsPerRun(200, func() { _ = verifier.Verify(rec, text) }))
}

func BenchmarkAppendSeal(b *testing.B) {
	sealer, rec := NewSealer(keys.ForTesting("a"), "analytics"), example()
	rec.Body = make([]byte, 700)
	dst := make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		sealer.AppendSeal(dst, rec)
	}
}

func BenchmarkVerify(b *testing.B) {
	ring, rec := keys.ForTesting("a"), example()
	rec.Body = make([]byte, 700)
	verifier, text := NewVerifier(ring, "analytics"), NewSealer(ring, "analytics").Seal(rec)
	b.ReportAllocs()
	for b.Loop() {
		_ = verifier.Verify(rec, text)
	}
}
