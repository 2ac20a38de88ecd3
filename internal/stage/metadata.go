package stage

import (
	"strconv"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
)

// Metadata that routes a message and ties it to where it came from. Inputs set the kafka_ and chunk_ names, stages set
// the rest; all are plain strings and visible to Bloblang.
const (
	MetaTopic          = "topic"          // the topic a message is for
	MetaKey            = "key"            // the record key it will have
	MetaEventID        = "event_id"       // the envelope's event_id
	MetaSubjectKey     = "subject_key"    // pseudonyms of every id in subject, comma-joined, primary first
	MetaCorrelationID  = "correlation_id" // the envelope's context.correlation_id
	MetaKafkaTopic     = "kafka_topic"
	MetaKafkaPartition = "kafka_partition"
	MetaKafkaOffset    = "kafka_offset"
	MetaKafkaKey       = "kafka_key"
	MetaKafkaTimestamp = "kafka_timestamp_ms"
	MetaChunkFirst     = "chunk_first" // first offset of the chunk the message belongs to
	MetaChunkLast      = "chunk_last"  // last offset of that chunk
	MetaReplayEpoch    = "replay_epoch"

	HeaderSrcTopic     = "src_topic" // where the event entered the pipelines; every hop carries it on
	HeaderSrcPartition = "src_partition"
	HeaderSrcOffset    = "src_offset"
)

// Values that ride along inside the process. They are set immutable, survive copies and mappings, and read as an empty
// string from Bloblang and header filters, so that nothing of an event can leave through them.
const (
	metaIndex   = "ebbgate_index"
	metaSubject = "ebbgate_subject"
	metaSealed  = "ebbgate_sealed"
	metaMade    = "ebbgate_made"
	metaSettled = "ebbgate_settled"
)

// Attached wraps a Go value as immutable message metadata.
type Attached[T any] struct{ Value T }

// Copy is what Bloblang and header filters see: nothing.
func (Attached[T]) Copy() any { return "" }

// Attach puts a Go value on a message under a name that components of ours share.
func Attach[T any](msg *service.Message, name string, v T) {
	msg.MetaSetImmut(name, Attached[T]{v})
}

// Attachment returns the value Attach put there. A value of that name from anywhere else, a record header for example,
// has another type and is not found.
func Attachment[T any](msg *service.Message, name string) (T, bool) {
	v, _ := msg.MetaGetImmut(name)
	a, ok := v.(Attached[T])
	return a.Value, ok
}

// Source tells where the input read the message. ok is false for messages that no topic input made.
func Source(msg *service.Message) (ref quarantine.Ref, ok bool) {
	topic, ok := msg.MetaGet(MetaKafkaTopic)
	if !ok {
		return ref, false
	}
	partition, ok := metaInt(msg, MetaKafkaPartition, 32)
	if !ok {
		return ref, false
	}
	offset, ok := metaInt(msg, MetaKafkaOffset, 64)
	return quarantine.Ref{Topic: topic, Partition: int32(partition), Offset: offset}, ok
}

// Origin tells where the event entered the pipelines: what an earlier hop wrote down, or else where the input read the
// message. Copies that any hop makes of an event share its origin, and by that a sink knows them.
func Origin(msg *service.Message) (ref quarantine.Ref, ok bool) {
	topic, _ := msg.MetaGet(HeaderSrcTopic)
	partition, okPartition := metaInt(msg, HeaderSrcPartition, 32)
	offset, okOffset := metaInt(msg, HeaderSrcOffset, 64)
	if topic == "" || !okPartition || !okOffset {
		return Source(msg)
	}
	return quarantine.Ref{Topic: topic, Partition: int32(partition), Offset: offset}, true
}

// ForgetOrigin drops an origin that a message brings along. The stage at the door does it: senders may not choose one.
func ForgetOrigin(msg *service.Message) {
	for _, name := range [...]string{HeaderSrcTopic, HeaderSrcPartition, HeaderSrcOffset} {
		msg.MetaDelete(name)
	}
}

func metaInt(msg *service.Message, name string, bits int) (int64, bool) {
	text, ok := msg.MetaGet(name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, bits)
	return n, err == nil
}

type sealed struct {
	record *seal.Record
	text   string
}

// SetSealed marks a message as sealed inside this process: rec.Body are the bytes a decision allowed.
func SetSealed(msg *service.Message, rec *seal.Record, text string) {
	Attach(msg, metaSealed, sealed{rec, text})
}

// Sealed returns the in-process seal. The caller must compare rec.Body with the bytes it is about to write.
func Sealed(msg *service.Message) (rec *seal.Record, text string, ok bool) {
	s, ok := Attachment[sealed](msg, metaSealed)
	return s.record, s.text, ok
}

// made is a record that a stage wrote in place of an event. It keeps the bytes: whatever a later processor of the user's
// does to the message, outputs write these.
type made struct {
	quarantine *quarantine.Record
	body       []byte
}

// SetQuarantine turns a message into a quarantine record.
func SetQuarantine(msg *service.Message, rec *quarantine.Record) {
	finish(msg, made{rec, rec.Append(nil)})
}

// SetDecision turns a message into a decision record, which it then owns.
func SetDecision(msg *service.Message, body []byte) {
	finish(msg, made{body: body})
}

func finish(msg *service.Message, m made) {
	msg.SetBytes(m.body)
	Attach(msg, metaMade, m)
}

// Quarantine returns the quarantine record a message was turned into.
func Quarantine(msg *service.Message) (*quarantine.Record, bool) {
	m, ok := Attachment[made](msg, metaMade)
	return m.quarantine, ok && m.quarantine != nil
}

// Made returns the bytes of the quarantine or decision record a message was turned into.
func Made(msg *service.Message) ([]byte, bool) {
	m, ok := Attachment[made](msg, metaMade)
	return m.body, ok
}

// MarkSettled makes a message the placeholder of a record that is already durable in quarantine: it has no bytes,
// processors pass it and outputs count it without writing it.
func MarkSettled(msg *service.Message) {
	Attach(msg, metaSettled, true)
}

// Settled reports whether the message is such a placeholder.
func Settled(msg *service.Message) bool {
	settled, _ := Attachment[bool](msg, metaSettled)
	return settled
}

// Decision reports whether the message is a decision record.
func Decision(msg *service.Message) bool {
	m, ok := Attachment[made](msg, metaMade)
	return ok && m.quarantine == nil
}

// finished reports whether there is nothing left to judge: a quarantine record, a decision or a placeholder.
func finished(msg *service.Message) bool {
	_, ok := Made(msg)
	return ok || Settled(msg)
}

// Verdicts of decision records.
const (
	VerdictDenied  = "denied"
	VerdictAllowed = "allowed"
)
