package keys

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// countingMaster is the master 00 01 .. 1f, for which the expected values below were computed with another language's
// HMAC.
func countingMaster(id string) master {
	m := master{id: id}
	for i := range m.secret {
		m.secret[i] = byte(i)
	}
	return m
}

func otherMaster(id string) master {
	return master{id: id, secret: sha256.Sum256([]byte(id))}
}

func TestDerivationMatchesIndependentVectors(t *testing.T) {
	ring := newRing([]master{countingMaster("k1k1")})
	token, tokenID := ring.Token("analytics", "subject.user_id")
	quarantine, quarantineID := ring.Quarantine()
	assert.Equal(t, "255b297ea3924b089211d89ed39c1cae9c495d1d82964f211c9e836b73aead69", hex.EncodeToString(ring.Seal("analytics")))
	assert.Equal(t, "c339416ea6f854cfb7673235e34532132351c045d72442225bc653ab89bf1e81", hex.EncodeToString(token))
	assert.Equal(t, "352e4e7995831b9916fc97c78eec28d20c5f22bd7c719221c9d74b2bc4bd6a08", hex.EncodeToString(ring.SubjectKey()))
	assert.Equal(t, "15859e343ee38bf5993dd9efc3671c1cb9a42105fdde488047cacbb09f69bba8", hex.EncodeToString(quarantine))
	assert.Equal(t, "k1k1", tokenID)
	assert.Equal(t, "k1k1", quarantineID)
	assert.Equal(t, "sk168ndolu3agfvsnfnlf2blpgij0", ring.SubjectPseudonym("user_id", "u_123"))
}

// RFC 5869 appendix A.1: the primitive under derive is HKDF-SHA256.
func TestHKDFVector(t *testing.T) {
	secret, _ := hex.DecodeString("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b")
	salt, _ := hex.DecodeString("000102030405060708090a0b0c")
	info, _ := hex.DecodeString("f0f1f2f3f4f5f6f7f8f9")
	got, err := hkdf.Key(sha256.New, secret, salt, string(info), 42)
	require.NoError(t, err)
	assert.Equal(t, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865", hex.EncodeToString(got))
}

func TestNoTwoDerivedKeysAreEqual(t *testing.T) {
	seen := map[string]string{}
	add := func(name string, key []byte) {
		require.Len(t, key, Size, name)
		if other, clash := seen[string(key)]; clash {
			t.Fatalf("%s and %s share a key", name, other)
		}
		seen[string(key)] = name
	}
	// Names that would collide if parts were joined without lengths.
	names := []string{"", "a", "b", "ab", "a/b", "a\x00b", "analytics", "ebbgate/1/seal", "ebbgate/1/token", "\x00\x00\x00\x01a"}
	ring := newRing([]master{otherMaster("new1"), countingMaster("old1")})
	for _, id := range []string{"new1", "old1"} {
		for _, destination := range names {
			key, ok := ring.SealFor(id, destination)
			require.True(t, ok)
			add(fmt.Sprintf("seal %s %q", id, destination), key)
		}
		key, ok := ring.QuarantineFor(id)
		require.True(t, ok)
		add("quarantine "+id, key)
	}
	for _, destination := range names {
		for _, field := range names {
			key, _ := ring.Token(destination, field)
			add(fmt.Sprintf("token %q %q", destination, field), key)
		}
	}
	add("subject", ring.SubjectKey())
}

func TestLabelsAreInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.StringN(0, 4, 8), 1, 4)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		same := fmt.Sprintf("%q", a) == fmt.Sprintf("%q", b)
		if (label(a[0], a[1:]) == label(b[0], b[1:])) != same {
			t.Fatalf("labels of %q and %q", a, b)
		}
	})
}

func TestRotationKeepsOldKeysAndPseudonyms(t *testing.T) {
	before := newRing([]master{countingMaster("old1")})
	after := newRing([]master{otherMaster("new1"), countingMaster("old1")})

	assert.Equal(t, "new1", after.CurrentID())
	assert.NotEqual(t, before.Seal("analytics"), after.Seal("analytics"))
	old, ok := after.SealFor("old1", "analytics")
	assert.True(t, ok)
	assert.Equal(t, before.Seal("analytics"), old)
	oldQuarantine, _ := before.Quarantine()
	got, ok := after.QuarantineFor("old1")
	assert.True(t, ok)
	assert.Equal(t, oldQuarantine, got)
	assert.Equal(t, before.SubjectPseudonym("user_id", "u_1"), after.SubjectPseudonym("user_id", "u_1"))
	_, ok = after.SealFor("gone", "analytics")
	assert.False(t, ok)
	_, ok = after.QuarantineFor("gone")
	assert.False(t, ok)
	assert.Equal(t, []Info{{ID: "new1", Current: true}, {ID: "old1", Subjects: true}}, after.Keys())
}

func TestPseudonyms(t *testing.T) {
	ring := ForTesting("a")
	assert.Empty(t, ring.SubjectPseudonym("user_id", ""), "no id, no pseudonym")
	assert.Len(t, ring.SubjectPseudonym("user_id", "u"), PseudonymLength)
	assert.Regexp(t, `^sk1[0-9a-v]{26}$`, ring.SubjectPseudonym("user_id", "alice@example.com"))
	distinct := map[string]bool{}
	for _, kind := range []string{"user_id", "anonymous_id", "account_id"} {
		for _, id := range []string{"u", "U", "u ", "u\x00", "\x00u", "ü"} {
			distinct[ring.SubjectPseudonym(kind, id)] = true
		}
	}
	assert.Len(t, distinct, 18)
	assert.NotEqual(t, ring.SubjectPseudonym("user_id", "u"), ForTesting("b").SubjectPseudonym("user_id", "u"))
	assert.Equal(t, ring.SubjectPseudonym("user_id", "u"), ForTesting("a").SubjectPseudonym("user_id", "u"))
}

func TestPseudonymsFromManyGoroutines(t *testing.T) {
	ring := ForTesting("a")
	want := ring.SubjectPseudonym("user_id", "u_1")
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 500 {
				assert.Equal(t, want, ring.SubjectPseudonym("user_id", "u_1"))
				ring.SubjectPseudonym("user_id", "u_2")
			}
		})
	}
	wait.Wait()
}

func TestAppendSubjectPseudonymDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("allocations cannot be counted under the race detector")
	}
	ring := ForTesting("a")
	id := []byte("u_123")
	dst := make([]byte, 0, 64)
	ring.AppendSubjectPseudonym(dst, "user_id", id)
	assert.Zero(t, testing.AllocsPerRun(200, func() { ring.AppendSubjectPseudonym(dst, "user_id", id) }))
}

func BenchmarkAppendSubjectPseudonym(b *testing.B) {
	ring := ForTesting("a")
	id := []byte("u_123")
	dst := make([]byte, 0, 64)
	for b.Loop() {
		ring.AppendSubjectPseudonym(dst, "user_id", id)
	}
}
