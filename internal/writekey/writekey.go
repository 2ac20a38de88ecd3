package writekey

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"
)

const (
	keyPrefix  = "wk_"
	hashPrefix = "sha256:"
	maxLength  = 256 // bytes of a key that is looked at
)

// Hash is what is kept of a key.
type Hash [sha256.Size]byte

// New makes a key.
func New() string { return keyPrefix + strings.ToLower(rand.Text()) }

// HashOf is the hash of a key.
func HashOf(key string) Hash { return sha256.Sum256([]byte(key)) }

// String gives the hash as configurations write it: sha256: and 64 hexadecimal digits.
func (h Hash) String() string { return hashPrefix + hex.EncodeToString(h[:]) }

// ErrForm says how a hash is written. It does not repeat what stood there, which may be a key.
var ErrForm = errors.New("give sha256: and 64 hexadecimal digits, as `ebbgate keys write-key` prints them, and not the key itself")

// ParseHash reads what String wrote.
func ParseHash(text string) (h Hash, err error) {
	digits, ok := strings.CutPrefix(strings.TrimSpace(text), hashPrefix)
	decoded, err := hex.DecodeString(digits)
	if !ok || err != nil || len(decoded) != len(h) {
		return h, ErrForm
	}
	return Hash(decoded), nil
}

// Set finds the owner of a key. The zero value knows none.
type Set struct {
	hashes []Hash
	owners []int
}

// Add says whose a key is; false where somebody has it already.
func (s *Set) Add(h Hash, owner int) bool {
	for _, other := range s.hashes {
		if h == other {
			return false
		}
	}
	s.hashes, s.owners = append(s.hashes, h), append(s.owners, owner)
	return true
}

// Find returns the owner of a key. It takes as long whichever key it is, and whether there is one.
func (s *Set) Find(key []byte) (owner int, ok bool) {
	found := -1
	if len(key) == 0 || len(key) > maxLength {
		return found, false
	}
	sum := sha256.Sum256(key)
	for i := range s.hashes {
		same := subtle.ConstantTimeCompare(s.hashes[i][:], sum[:])
		found = subtle.ConstantTimeSelect(same, s.owners[i], found)
	}
	return found, found >= 0
}
