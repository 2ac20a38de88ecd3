package keys

import (
	"crypto/sha256"
	"hash"
	"sync"
)

// Size is the length of a master and of every derived key, in bytes.
const Size = 32

// master is one line of the master file.
type master struct {
	id     string
	secret [Size]byte
}

// material is what a Ring hides: the masters, current first.
type material struct {
	masters []master
	oldest  *master
}

// Ring is a loaded set of masters. It is immutable and safe for concurrent use. The zero Ring has no keys and must not
// be used; a Ring comes from Load, FromEnvironment or ForTesting.
type Ring struct {
	reveal   func() *material
	subjects *sync.Pool
}

// Info names one master without its secret.
type Info struct {
	// ID is the key id that seals, tokens and ciphertexts carry.
	ID string
	// Current tells that new seals, tokens and ciphertexts use this master.
	Current bool
	// Subjects tells that subject pseudonyms come from this master.
	Subjects bool
}

// ForTesting returns a ring with one master that depends only on seed. Its keys are no secret: tests and benchmarks only.
func ForTesting(seed string) *Ring {
	m := master{id: "test0000", secret: sha256.Sum256([]byte("ebbgate keys for testing\x00" + seed))}
	return newRing([]master{m})
}

func newRing(masters []master) *Ring {
	held := &material{masters: masters, oldest: &masters[len(masters)-1]}
	r := &Ring{reveal: func() *material { return held }}
	subject := r.SubjectKey()
	r.subjects = &sync.Pool{New: func() any { return newSubjectMAC(subject) }}
	return r
}

// CurrentID is the id of the master that signs and encrypts now.
func (r *Ring) CurrentID() string { return r.current().id }

// Keys lists the masters, current first, without secrets. The caller owns the slice.
func (r *Ring) Keys() []Info {
	held := r.reveal()
	infos := make([]Info, len(held.masters))
	for i := range held.masters {
		m := &held.masters[i]
		infos[i] = Info{ID: m.id, Current: i == 0, Subjects: m == held.oldest}
	}
	return infos
}

func (r *Ring) current() *master { return &r.reveal().masters[0] }

func (r *Ring) find(keyID string) (*master, bool) {
	held := r.reveal()
	for i := range held.masters {
		if held.masters[i].id == keyID {
			return &held.masters[i], true
		}
	}
	return nil, false
}

// subjectMAC is a reusable HMAC state with room for its input and sum, so that a pseudonym costs no allocation.
type subjectMAC struct {
	hash hash.Hash
	in   []byte
	sum  [sha256.Size]byte
}
