package seal

import (
	"strings"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// Verifier accepts records of one destination that were sealed with any master of the ring. It is safe for concurrent
// use.
type Verifier struct {
	destination string
	keys        map[string]*key
}

// NewVerifier returns a verifier for a destination. ring must not be nil.
func NewVerifier(ring *keys.Ring, destination string) *Verifier {
	v := &Verifier{destination: destination, keys: map[string]*key{}}
	for _, info := range ring.Keys() {
		if secret, ok := ring.SealFor(info.ID, destination); ok {
			v.keys[info.ID] = newKey(info.ID, secret)
		}
	}
	return v
}

// Verify returns nil if text is the seal of exactly rec for this destination, else ErrMissing, ErrDestination,
// ErrMismatch or ErrUnknownKey. It does not allocate.
func (v *Verifier) Verify(rec *Record, text string) error {
	if text == "" {
		return ErrMissing
	}
	if rec.Destination != v.destination {
		return ErrDestination
	}
	id, ok := keyID(text)
	if !ok {
		return ErrMismatch
	}
	key, ok := v.keys[id]
	if !ok {
		return ErrUnknownKey
	}
	if !key.accepts(rec, text) {
		return ErrMismatch
	}
	return nil
}

// keyID reads the id out of a text that has the shape of a seal.
func keyID(text string) (string, bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return "", false
	}
	id, mac, ok := strings.Cut(rest, ".")
	if !ok || len(mac) != macText || len(id) < 4 || len(id) > 16 {
		return "", false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return "", false
		}
	}
	return id, true
}
