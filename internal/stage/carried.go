package stage

import (
	"hash/maphash"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// metaCarried is the one entry under which our components hand Go values on.
const metaCarried = "ebbgate"

// carried is what rides along with a message inside the process. It is set immutable, survives copies and mappings, and
// shows Bloblang nothing of the event, so that none of it can leave this way. It is replaced as a whole: what a message
// has become says what still counts of it.
type carried struct {
	// Of an event: its parsed form, whom it is about, and what was decided by which rules.
	index     *event.Index
	subject   *Subject
	rules     *Rules
	judgement *Judgement
	storable  []byte // the very content that may be stored, once that was decided

	sealed  sealed
	made    *made
	settled bool
}

// Copy is what Bloblang sees: which consent a judged event rests on, and nothing before and after.
func (c *carried) Copy() any {
	if c.judgement == nil {
		return ""
	}
	v := &c.judgement.Verdict
	return map[string]any{
		"consent_source":     v.Source,
		"consent_version":    v.Version,
		"consent_checked_at": v.CheckedAt.Format(time.RFC3339),
	}
}

func carry(msg *service.Message, c *carried) { msg.MetaSetImmut(metaCarried, c) }

// Inspection is what a message has become, for outputs that ask several questions about each. It is immutable.
type Inspection struct{ c *carried }

// Inspect looks a message's state up once.
func Inspect(msg *service.Message) Inspection { return Inspection{carriedBy(msg)} }

// carriedBy never returns nil. A value of that name from anywhere else, a record header for example, has another type
// and is not found.
func carriedBy(msg *service.Message) *carried {
	v, _ := msg.MetaGetImmut(metaCarried)
	if c, ok := v.(*carried); ok {
		return c
	}
	return &nothing
}

var nothing carried

// sealed is a record of redact's, as long as it has not left the process. Its seal is made when it does.
type sealed struct {
	record *seal.Record
	sealer *seal.Sealer
	sum    uint64 // of the body
}

// sumSeed is of this process and unknown outside, so that nobody can make other bytes with the same sum.
var sumSeed = maphash.MakeSeed()

// SetSealed gives a message the content that a decision allowed, as rec.Body says. The record and its body must not
// change any more.
func SetSealed(msg *service.Message, rec *seal.Record, sealer *seal.Sealer) {
	new(carried).seal(msg, rec, sealer)
}

func (c *carried) seal(msg *service.Message, rec *seal.Record, sealer *seal.Sealer) {
	msg.SetBytes(rec.Body)
	c.sealed = sealed{rec, sealer, maphash.Bytes(sumSeed, rec.Body)}
	carry(msg, c)
}

// Sealings seals the messages of a batch: what rides along with them is carved from slabs, one allocation for many. The
// zero value is ready.
type Sealings struct{ slab []carried }

const carriedSlab = 64

// SetSealed is the function of the same name.
func (s *Sealings) SetSealed(msg *service.Message, rec *seal.Record, sealer *seal.Sealer) {
	if len(s.slab) == 0 {
		s.slab = make([]carried, carriedSlab)
	}
	s.slab[0].seal(msg, rec, sealer)
	s.slab = s.slab[1:]
}

// Sealed returns the record a message was sealed as inside this process, and who seals it when it leaves. The caller
// must ask Intact before it writes.
func Sealed(msg *service.Message) (rec *seal.Record, sealer *seal.Sealer, ok bool) {
	s := &carriedBy(msg).sealed
	return s.record, s.sealer, s.record != nil
}

// Intact reports whether body, the content of a sealed message, is what redact allowed: the same memory, holding the
// same bytes. A processor that rewrote the message, or wrote into its bytes, is found out.
func Intact(msg *service.Message, body []byte) bool { return Inspect(msg).Intact(body) }

// Sealed is the function of the same name.
func (i Inspection) Sealed() (rec *seal.Record, ok bool) {
	return i.c.sealed.record, i.c.sealed.record != nil
}

// Intact is the function of the same name.
func (i Inspection) Intact(body []byte) bool {
	s := &i.c.sealed
	return s.record != nil && Same(s.record.Body, body) && maphash.Bytes(sumSeed, body) == s.sum
}

// made is a record that a stage wrote in place of an event. It keeps the bytes: whatever a later processor of the user's
// does to the message, outputs write these.
type made struct {
	role       topics.Role // of the topic it is for
	quarantine *quarantine.Record
	body       []byte
}

// SetQuarantine turns a message into a quarantine record.
func SetQuarantine(msg *service.Message, rec *quarantine.Record) {
	finish(msg, &made{topics.Quarantine, rec, rec.Append(nil)})
}

// SetDecision turns a message into a decision record, which it then owns.
func SetDecision(msg *service.Message, body []byte) {
	finish(msg, &made{role: topics.Decisions, body: body})
}

// SetState turns a message, which has to be a copy of an event's, into a record for the topic with the role: what the event tells
// about its subject.
func SetState(msg *service.Message, role topics.Role, body []byte) {
	finish(msg, &made{role: role, body: body})
}

func finish(msg *service.Message, m *made) {
	msg.SetBytes(m.body)
	carry(msg, &carried{made: m})
}

// Quarantine returns the quarantine record a message was turned into.
func Quarantine(msg *service.Message) (*quarantine.Record, bool) {
	return Inspect(msg).Quarantine()
}

// Quarantine is the function of the same name.
func (i Inspection) Quarantine() (*quarantine.Record, bool) {
	m := i.c.made
	if m == nil || m.quarantine == nil {
		return nil, false
	}
	return m.quarantine, true
}

// MadeFor is the role of the topic that the record is for which a message was turned into.
func MadeFor(msg *service.Message) (role topics.Role, made bool) {
	if m := carriedBy(msg).made; m != nil {
		return m.role, true
	}
	return "", false
}

// Made returns the bytes of the record a message was turned into.
func Made(msg *service.Message) ([]byte, bool) {
	m := carriedBy(msg).made
	if m == nil {
		return nil, false
	}
	return m.body, true
}

// MarkSettled makes a message the placeholder of a record that is already durable in quarantine: it has no bytes,
// processors pass it and outputs count it without writing it.
func MarkSettled(msg *service.Message) { carry(msg, &carried{settled: true}) }

// Settled reports whether the message is such a placeholder.
func Settled(msg *service.Message) bool { return carriedBy(msg).settled }

// Settled is the function of the same name.
func (i Inspection) Settled() bool { return i.c.settled }

// Finished reports whether a stage wrote the message's content in place of an event: a quarantine record or a decision.
func (i Inspection) Finished() bool { return i.c.made != nil }

// finished reports whether there is nothing left to judge: a quarantine record, a decision or a placeholder.
func finished(msg *service.Message) bool {
	c := carriedBy(msg)
	return c.made != nil || c.settled
}
