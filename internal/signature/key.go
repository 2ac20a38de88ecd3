package signature

import (
	"crypto/hmac"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"sync"
	"time"
)

// key is one secret, ready for use.
type key struct {
	id       string
	until    time.Time
	version  string // of the signatures it makes
	material material
}

// material is what a secret is made of.
type material interface {
	// matches is 1 when one of the candidates of this version is the message's signature, else 0. It looks at all of them.
	matches(m message, version string, candidates []candidate) int
	sign(m message) (string, error)
}

// keyParser reads a configured secret; version is that of the signatures it makes.
type keyParser func(value string) (version string, _ material, err error)

// message is what is signed, in its order.
type message struct{ head, body, tail []byte }

// encoding writes a signature as text.
type encoding func(dst, signature []byte) []byte

var (
	hexText    encoding = hex.AppendEncode
	base64Text encoding = base64.StdEncoding.AppendEncode
)

var encodings = map[string]encoding{
	"": hexText, "hex": hexText, "base64": base64Text, "base64_raw": base64.RawStdEncoding.AppendEncode,
	"base64url": base64.URLEncoding.AppendEncode, "base64url_raw": base64.RawURLEncoding.AppendEncode,
}

// sharedKey is a secret both sides hold.
type sharedKey struct {
	encode encoding
	states sync.Pool // of *macState: a keyed hash costs two blocks to set up
}

type macState struct {
	mac       hash.Hash
	sum, text []byte
}

func newSharedKey(secret []byte, algorithm func() hash.Hash, encode encoding) *sharedKey {
	k := &sharedKey{encode: encode}
	k.states.New = func() any { return &macState{mac: hmac.New(algorithm, secret)} }
	return k
}

// textKey takes a secret as it is written, prefix and all.
func textKey(algorithm func() hash.Hash, encode encoding) keyParser {
	return func(value string) (string, material, error) {
		return "", newSharedKey([]byte(value), algorithm, encode), nil
	}
}

// matches compares texts and not bytes, so that a signature has one spelling only.
func (k *sharedKey) matches(m message, version string, candidates []candidate) int {
	state := k.states.Get().(*macState)
	defer k.states.Put(state)
	want, found := k.text(state, m), 0
	for _, c := range candidates {
		if string(c.version) == version {
			found |= subtle.ConstantTimeCompare(want, c.text)
		}
	}
	return found
}

func (k *sharedKey) text(state *macState, m message) []byte {
	state.mac.Reset()
	state.mac.Write(m.head)
	state.mac.Write(m.body)
	state.mac.Write(m.tail)
	state.sum = state.mac.Sum(state.sum[:0])
	state.text = k.encode(state.text[:0], state.sum)
	return state.text
}

func (k *sharedKey) sign(m message) (string, error) {
	state := k.states.Get().(*macState)
	defer k.states.Put(state)
	return string(k.text(state, m)), nil
}

var errPublic = errors.New("this is a public key, which can only verify: give the private one")

// decode reads a signature that has one spelling only.
func decode(text []byte) ([]byte, bool) {
	signature, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	return signature, err == nil && base64.StdEncoding.EncodedLen(len(signature)) == len(text)
}
