package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"sync"

	"github.com/ebbgate/ebbgate/internal/keys"
)

const (
	domain  = "ebbgate-seal-1"
	prefix  = "s1."
	macText = 43 // base64url of 32 bytes without padding
)

// state is a reusable HMAC with room for what it hashes and writes.
type state struct {
	hash hash.Hash
	in   []byte
	text []byte
	sum  [sha256.Size]byte
}

// key is one master's seal key for one destination, as a pool of keyed states. It is safe for concurrent use.
type key struct {
	id   string
	pool sync.Pool
}

func newKey(id string, secret []byte) *key {
	k := &key{id: id}
	k.pool.New = func() any { return &state{hash: hmac.New(sha256.New, secret)} }
	return k
}

func (k *key) appendSeal(dst []byte, rec *Record) []byte {
	s := k.pool.Get().(*state)
	dst = s.appendSeal(dst, k.id, rec)
	k.pool.Put(s)
	return dst
}

// accepts compares in constant time.
func (k *key) accepts(rec *Record, text string) bool {
	s := k.pool.Get().(*state)
	s.text = s.appendSeal(s.text[:0], k.id, rec)
	want := len(s.text)
	s.text = append(s.text, text...) // copied, because a conversion of text would allocate
	ok := hmac.Equal(s.text[:want], s.text[want:])
	k.pool.Put(s)
	return ok
}

func (s *state) appendSeal(dst []byte, id string, rec *Record) []byte {
	s.in = appendInput(s.in[:0], rec)
	s.hash.Reset()
	s.hash.Write(s.in)
	s.hash.Write(rec.Body)
	dst = append(dst, prefix...)
	dst = append(dst, id...)
	dst = append(dst, '.')
	return base64.RawURLEncoding.AppendEncode(dst, s.hash.Sum(s.sum[:0]))
}

// appendInput writes all that is hashed before the body. Every field has its length, the body's comes last, so the input
// of two different records always differs.
func appendInput(dst []byte, rec *Record) []byte {
	dst = append(dst, domain...)
	for _, field := range [...]string{
		rec.Destination, rec.Policy, rec.EventID, rec.Topic, rec.Key, rec.SubjectKey,
		rec.CorrelationID, rec.Class, rec.Requires, rec.ConsentVersion, rec.SrcTopic,
	} {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(field)))
		dst = append(dst, field...)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(rec.SrcPartition))
	dst = binary.BigEndian.AppendUint64(dst, uint64(rec.SrcOffset))
	return binary.BigEndian.AppendUint64(dst, uint64(len(rec.Body)))
}

// Sealer seals records for one destination with the current master. It is safe for concurrent use.
type Sealer struct {
	destination string
	key         *key
}

// NewSealer returns a sealer for a destination. ring must not be nil.
func NewSealer(ring *keys.Ring, destination string) *Sealer {
	return &Sealer{destination: destination, key: newKey(ring.CurrentID(), ring.Seal(destination))}
}

// Seal returns the seal of rec. A record that names another destination than the sealer's gets the empty string, which
// every verifier refuses.
func (s *Sealer) Seal(rec *Record) string {
	var buf [len(prefix) + 17 + macText]byte
	return string(s.AppendSeal(buf[:0], rec))
}

// AppendSeal is Seal without allocations: it appends to dst. It only reads rec.
func (s *Sealer) AppendSeal(dst []byte, rec *Record) []byte {
	if rec.Destination != s.destination {
		return dst
	}
	return s.key.appendSeal(dst, rec)
}
