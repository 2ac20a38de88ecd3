package stage

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/keys"
)

// Subject is whom an event is about, by pseudonyms only.
type Subject struct {
	Joined string   // every key, comma-joined, primary first: the subject_key header
	Keys   []string // the same, apart; Keys[0] is the record key. Shared: do not change it

	of   *event.Index
	room [len(subjectIDs)]string
}

// The order decides which id is primary. A kind is part of the pseudonym, so equal ids of two kinds stay apart.
var subjectIDs = [...]struct {
	field event.Field
	kind  string
}{
	{event.UserID, "user_id"},
	{event.AnonymousID, "anonymous_id"},
	{event.AccountID, "account_id"},
}

// SubjectOf computes the pseudonyms of an event, or takes those that ride along if they were computed from this very
// index. Carry hands them on. A subject_key header is never believed: whoever can write to a topic could name somebody else's consent.
// An event without ids has no keys; the envelope check refuses it.
func (r *Reader) SubjectOf(msg *service.Message, ix *event.Index, ring *keys.Ring) *Subject {
	if s := carriedBy(msg).subject; s != nil && s.of == ix {
		return s
	}
	return r.newSubject(ix, ring)
}

const subjectSlab = 64

// SubjectKeys are the pseudonyms of identifiers that a door has read, comma-joined, and the primary one. They are those that
// SubjectOf finds in the envelope. An empty identifier is none.
func SubjectKeys(ring *keys.Ring, userID, anonymousID, accountID []byte) (joined, primary string) {
	var text [256]byte
	ids := [len(subjectIDs)][]byte{userID, anonymousID, accountID}
	for i := range ids {
		if len(ids[i]) == 0 {
			ids[i] = nil
		}
	}
	keys, ends, n := appendSubjectKeys(text[:0], ring, &ids)
	if n == 0 {
		return "", ""
	}
	joined = string(keys)
	return joined, joined[:ends[0]]
}

// appendSubjectKeys appends the pseudonyms of those identifiers that are not nil, and says where each ends.
func appendSubjectKeys(dst []byte, ring *keys.Ring, ids *[len(subjectIDs)][]byte) (_ []byte, ends [len(subjectIDs)]int, n int) {
	for i, id := range ids {
		if id == nil {
			continue
		}
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = ring.AppendSubjectPseudonym(dst, subjectIDs[i].kind, id)
		ends[n] = len(dst)
		n++
	}
	return dst, ends, n
}

func (r *Reader) newSubject(ix *event.Index, ring *keys.Ring) *Subject {
	var text [256]byte
	var scratch [len(subjectIDs)][128]byte
	var ids [len(subjectIDs)][]byte
	for i, id := range subjectIDs {
		if v, ok := ix.Get(id.field); ok && v.Kind() == event.String {
			ids[i] = v.Text(scratch[i][:])
		}
	}
	joined, ends, n := appendSubjectKeys(text[:0], ring, &ids)
	if len(r.subjects) == 0 {
		r.subjects = make([]Subject, subjectSlab)
	}
	s := &r.subjects[0]
	r.subjects = r.subjects[1:]
	s.Joined, s.of = r.texts.String(joined), ix
	s.Keys = s.room[:n:n]
	start := 0
	for i := range n {
		s.Keys[i] = s.Joined[start:ends[i]]
		start = ends[i] + 1
	}
	return s
}

// Primary is the key the subject's records have.
func (s *Subject) Primary() string {
	if len(s.Keys) == 0 {
		return ""
	}
	return s.Keys[0]
}
