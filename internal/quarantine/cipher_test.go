package quarantine

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// The two vectors of c2sp.org/XAES-256-GCM: one for each value of the bit that the CMAC subkey carries out.
func TestXAESVectors(t *testing.T) {
	cases := []struct {
		key  byte
		aad  string
		want string
	}{
		{1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	}
	for _, c := range cases {
		x := newXAES(bytes.Repeat([]byte{c.key}, 32))
		nonce := []byte("ABCDEFGHIJKLMNOPQRSTUVWX")
		sealed := x.seal(nonce, []byte("XAES-256-GCM"), []byte(c.aad))
		assert.Equal(t, c.want, hex.EncodeToString(sealed))
		plain, err := x.open(nonce, sealed, []byte(c.aad))
		require.NoError(t, err)
		assert.Equal(t, "XAES-256-GCM", string(plain))
	}
}

func TestDecryptRefusesAnotherPosition(t *testing.T) {
	cipher := NewCipher(keys.ForTesting("a"))
	payload, err := cipher.Encrypt([]byte("{}"), position)
	require.NoError(t, err)
	for _, ref := range []Ref{
		{}, {"events.ra", 3, 881}, {"events.raw2", 3, 881}, {"events.rax", 3, 881}, {"events.raw", 2, 881}, {"events.raw", 3, 880}, {"events.raw", 881, 3},
	} {
		plain, err := cipher.Decrypt(payload, ref)
		assert.Nil(t, plain)
		assert.ErrorIs(t, err, ErrDecrypt, "%+v", ref)
	}
}

func TestDecryptRefusesEveryFlippedBit(t *testing.T) {
	cipher := NewCipher(keys.ForTesting("a"))
	payload, err := cipher.Encrypt([]byte(`{"a":1}`), position)
	require.NoError(t, err)
	for bit := range len(payload) * 8 {
		flipped := bytes.Clone(payload)
		flipped[bit/8] ^= 1 << (bit % 8)
		plain, err := cipher.Decrypt(flipped, position)
		require.Error(t, err, "bit %d", bit)
		require.Nil(t, plain)
	}
	_, err = cipher.Decrypt(payload, position)
	require.NoError(t, err)
}

func TestDecryptWithOtherKeys(t *testing.T) {
	payload, err := NewCipher(keys.ForTesting("a")).Encrypt([]byte("{}"), position)
	require.NoError(t, err)
	_, err = NewCipher(keys.ForTesting("b")).Decrypt(payload, position)
	assert.ErrorIs(t, err, ErrDecrypt, "another workspace's key under the same id")
	unknown := []byte(strings.Replace(string(payload), "test0000", "gone0000", 1))
	_, err = NewCipher(keys.ForTesting("a")).Decrypt(unknown, position)
	assert.ErrorIs(t, err, ErrUnknownKey)
	subject := []byte(strings.Replace(string(payload), `"alg"`, `"sub":"sk1x","alg"`, 1))
	_, err = NewCipher(keys.ForTesting("a")).Decrypt(subject, position)
	assert.ErrorIs(t, err, ErrUnknownKey, "a subject's key is never replaced by the workspace's")
}

func TestRotationDecryptsOldRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(path))
	before, err := keys.Load(path)
	require.NoError(t, err)
	payload, err := NewCipher(before).Encrypt([]byte("{}"), position)
	require.NoError(t, err)
	id, err := keys.Rotate(path)
	require.NoError(t, err)
	after, err := keys.Load(path)
	require.NoError(t, err)
	plain, err := NewCipher(after).Decrypt(payload, position)
	require.NoError(t, err)
	assert.Equal(t, "{}", string(plain))
	payload, err = NewCipher(after).Encrypt([]byte("{}"), position)
	require.NoError(t, err)
	assert.Contains(t, string(payload), id)
	_, err = NewCipher(before).Decrypt(payload, position)
	assert.ErrorIs(t, err, ErrUnknownKey)
}

func TestNoncesDoNotRepeat(t *testing.T) {
	cipher := NewCipher(keys.ForTesting("a"))
	var mutex sync.Mutex
	seen := map[string]bool{}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 500 {
				payload, err := cipher.Encrypt(nil, position)
				assert.NoError(t, err)
				mutex.Lock()
				seen[string(payload)] = true
				mutex.Unlock()
			}
		})
	}
	wait.Wait()
	assert.Len(t, seen, 2000)
}

type recorder struct{ strings.Builder }

func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(r, format, args...) }

func TestCipherCannotBePrinted(t *testing.T) {
	ring := keys.ForTesting("a")
	cipher := NewCipher(ring)
	key, _ := ring.Quarantine()
	var dump recorder
	assert.Equal(&dump, *cipher, *NewCipher(ring)) // functions never compare equal, so this prints both
	require.NotEmpty(t, dump.String())
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", cipher, *cipher, *cipher), dump.String()} {
		for _, form := range []string{string(key), hex.EncodeToString(key), strings.Trim(fmt.Sprint(key), "[]"), hex.EncodeToString(key[:8])} {
			assert.NotContains(t, text, form)
		}
	}
}

func BenchmarkEncrypt(b *testing.B) {
	cipher, body := NewCipher(keys.ForTesting("a")), make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = cipher.Encrypt(body, position)
	}
}
