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

func (r *Reader) newSubject(ix *event.Index, ring *keys.Ring) *Subject {
	var text [256]byte
	var scratch [128]byte
	var ends [len(subjectIDs)]int
	joined, n := text[:0], 0
	for _, id := range subjectIDs {
		v, ok := ix.Get(id.field)
		if !ok || v.Kind() != event.String {
			continue
		}
		if n > 0 {
			joined = append(joined, ',')
		}
		joined = ring.AppendSubjectPseudonym(joined, id.kind, v.Text(scratch[:]))
		ends[n] = len(joined)
		n++
	}
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
