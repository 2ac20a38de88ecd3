package quarantine

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// MaxPlaintext is the largest event, in bytes, that a record holds: base64 keeps it below a 2 MiB record.
const MaxPlaintext = 1<<20 + 1<<18

// aadDomain separates these ciphertexts from any other use of the key.
const aadDomain = "ebbgate-quarantine-1"

// Errors of a Cipher. None holds anything of the plaintext or the key.
var (
	// ErrTooLarge: the plaintext is larger than MaxPlaintext.
	ErrTooLarge = errors.New("quarantine.too_large: the event does not fit into a quarantine record; read it where its ref points")
	// ErrUnknownKey: the master is not loaded. The record is sound: load the master file it was written with.
	ErrUnknownKey = errors.New("quarantine.unknown_key: the payload was encrypted under a key this process has not loaded; install the master key file that has it")
	// ErrDecrypt: the payload was changed, or belongs to another record.
	ErrDecrypt = errors.New("quarantine.decrypt: the payload was changed, or does not belong to the position its record names")
)

// Cipher encrypts and decrypts payloads with the workspace's quarantine keys. It is safe for concurrent use.
type Cipher struct {
	currentID string
	// find is a function so that neither fmt nor a reflecting dumper can reach the keys.
	find func(keyID string) (*xaes, bool)
}

// NewCipher returns a cipher that encrypts with the ring's current master and decrypts with all of them. ring must not be
// nil.
func NewCipher(ring *keys.Ring) *Cipher {
	ciphers := map[string]*xaes{}
	for _, info := range ring.Keys() {
		if key, ok := ring.QuarantineFor(info.ID); ok {
			ciphers[info.ID] = newXAES(key)
		}
	}
	return &Cipher{currentID: ring.CurrentID(), find: func(keyID string) (*xaes, bool) {
		x, ok := ciphers[keyID]
		return x, ok
	}}
}

// Encrypt returns the envelope of plaintext, bound to aad. The caller owns it; plaintext is not kept.
func (c *Cipher) Encrypt(plaintext []byte, aad Ref) ([]byte, error) {
	if len(plaintext) > MaxPlaintext {
		return nil, ErrTooLarge
	}
	key, ok := c.find(c.currentID)
	if !ok {
		return nil, ErrUnknownKey
	}
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // crypto/rand never fails: it stops the process instead
	e := envelope{KeyID: c.currentID, Algorithm: algorithm, Nonce: nonce}
	e.Cipher = key.seal(nonce, plaintext, appendAAD(nil, aad))
	return e.append(make([]byte, 0, base64.StdEncoding.EncodedLen(len(e.Cipher))+envelopeOverhead)), nil
}

// Decrypt opens an envelope that was encrypted for aad. It returns ErrMalformed, ErrUnknownKey or ErrDecrypt.
func (c *Cipher) Decrypt(data []byte, aad Ref) ([]byte, error) {
	e, err := parseEnvelope(data)
	if err != nil {
		return nil, fmt.Errorf("reading a quarantine payload: %w", err)
	}
	key, ok := c.find(e.KeyID)
	if !ok || e.Subject != "" {
		return nil, ErrUnknownKey
	}
	plaintext, err := key.open(e.Nonce, e.Cipher, appendAAD(nil, aad))
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}

func appendAAD(dst []byte, ref Ref) []byte {
	dst = append(dst, aadDomain...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(ref.Topic)))
	dst = append(dst, ref.Topic...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(ref.Partition))
	return binary.BigEndian.AppendUint64(dst, uint64(ref.Offset))
}
