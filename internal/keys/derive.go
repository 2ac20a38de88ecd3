package keys

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
)

// Purposes. A label is the purpose followed by its parts, each with its length, so no two labels can be equal.
const (
	purposeSeal       = "ebbgate/1/seal"
	purposeToken      = "ebbgate/1/token"
	purposeSubject    = "ebbgate/1/subject"
	purposeQuarantine = "ebbgate/1/quarantine"
)

const (
	pseudonymPrefix = "sk1"
	pseudonymBytes  = 16
	// PseudonymLength is the length of every subject pseudonym in bytes: "sk1" and 26 characters.
	PseudonymLength = len(pseudonymPrefix) + 26
)

// lowerBase32 has no padding and only digits and lower-case letters: safe in headers, file names and SQL.
var lowerBase32 = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// Seal returns the current key that signs records for a destination. The caller owns the 32 bytes; the id is CurrentID.
func (r *Ring) Seal(destination string) []byte {
	return r.current().derive(purposeSeal, destination)
}

// SealFor returns the key that signed records for a destination under an earlier key id; false if the id is unknown.
func (r *Ring) SealFor(keyID, destination string) ([]byte, bool) {
	m, ok := r.find(keyID)
	if !ok {
		return nil, false
	}
	return m.derive(purposeSeal, destination), true
}

// Token returns the current key, and its id, that turns a field into tokens at one destination. Two destinations, or two
// fields of one destination, never share a key, so their tokens cannot be joined. A rotation starts new tokens.
func (r *Ring) Token(destination, field string) (key []byte, keyID string) {
	m := r.current()
	return m.derive(purposeToken, destination, field), m.id
}

// Quarantine returns the current key, and its id, that encrypts quarantined records.
func (r *Ring) Quarantine() (key []byte, keyID string) {
	m := r.current()
	return m.derive(purposeQuarantine), m.id
}

// QuarantineFor returns the key of records encrypted under an earlier key id; false if the id is unknown.
func (r *Ring) QuarantineFor(keyID string) ([]byte, bool) {
	m, ok := r.find(keyID)
	if !ok {
		return nil, false
	}
	return m.derive(purposeQuarantine), true
}

// SubjectKey returns the key of subject pseudonyms, derived from the oldest master so that rotation does not change it.
func (r *Ring) SubjectKey() []byte {
	return r.reveal().oldest.derive(purposeSubject)
}

// SubjectPseudonym names a subject without telling who it is: "sk1" and 26 characters (128 bits of an HMAC over kind and
// id). It is the same for ever, also after rotations. kind is user_id, anonymous_id or account_id; id is taken as it is.
// The empty id has no pseudonym and gives "".
func (r *Ring) SubjectPseudonym(kind, id string) string {
	var buf [PseudonymLength]byte
	return string(r.AppendSubjectPseudonym(buf[:0], kind, []byte(id)))
}

// AppendSubjectPseudonym is SubjectPseudonym without allocations. id may alias the event's bytes.
func (r *Ring) AppendSubjectPseudonym(dst []byte, kind string, id []byte) []byte {
	if len(id) == 0 {
		return dst
	}
	m := r.subjects.Get().(*subjectMAC)
	m.in = append(m.in[:0], kind...)
	m.in = append(m.in, 0) // a kind has no NUL byte, so (kind, id) cannot be read two ways
	m.in = append(m.in, id...)
	m.hash.Reset()
	m.hash.Write(m.in)
	sum := m.hash.Sum(m.sum[:0])
	dst = append(dst, pseudonymPrefix...)
	dst = lowerBase32.AppendEncode(dst, sum[:pseudonymBytes])
	r.subjects.Put(m)
	return dst
}

func newSubjectMAC(key []byte) *subjectMAC {
	return &subjectMAC{hash: hmac.New(sha256.New, key)}
}

func (m *master) derive(purpose string, parts ...string) []byte {
	key, err := hkdf.Key(sha256.New, m.secret[:], nil, label(purpose, parts), Size)
	if err != nil {
		panic(fmt.Sprintf("keys: deriving a %d byte key: %v", Size, err)) // only a wrong length can fail
	}
	return key
}

func label(purpose string, parts []string) string {
	buf := appendPart(nil, purpose)
	for _, part := range parts {
		buf = appendPart(buf, part)
	}
	return string(buf)
}

func appendPart(dst []byte, part string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(part)))
	return append(dst, part...)
}
