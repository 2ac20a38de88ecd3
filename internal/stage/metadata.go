package stage

import (
	"strconv"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// Metadata that routes a message and ties it to where it came from. Inputs set the kafka_ and chunk_ names, stages set
// the rest; all are plain strings and visible to Bloblang.
const (
	MetaTopic          = "topic"          // the topic a message is for
	MetaKey            = "key"            // the record key it will have
	MetaEventID        = "event_id"       // the envelope's event_id
	MetaSubjectKey     = "subject_key"    // pseudonyms of every id in subject, comma-joined, primary first
	MetaCorrelationID  = "correlation_id" // the envelope's context.correlation_id
	MetaContentDigest  = "content_digest" // of the event as its sender wrote it, without what a retry changes: hexadecimal
	MetaReplayID       = "replay_id"      // of an event that somebody sends through again on purpose
	MetaKafkaTopic     = "kafka_topic"
	MetaKafkaPartition = "kafka_partition"
	MetaKafkaOffset    = "kafka_offset"
	MetaKafkaKey       = "kafka_key"
	MetaKafkaTimestamp = "kafka_timestamp_ms"

	HeaderSrcTopic     = "src_topic" // where the event entered the pipelines; every hop carries it on
	HeaderSrcPartition = "src_partition"
	HeaderSrcOffset    = "src_offset"
)

// Source tells where the input read the message. ok is false for messages that no topic input made.
func Source(msg *service.Message) (ref quarantine.Ref, ok bool) {
	if p, ok := PositionOf(msg); ok {
		return p.Ref(), true
	}
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
	if p, ok := PositionOf(msg); ok && p.Origin.Topic != "" {
		return p.Origin, true
	}
	return Source(msg)
}

// ForgetOrigin drops an origin that a message brings along. The stage at the door does it: senders may not choose one.
func ForgetOrigin(msg *service.Message) {
	if p, ok := PositionOf(msg); ok && p.Origin.Topic != "" {
		SetPosition(msg, &Position{Chunk: p.Chunk, Offset: p.Offset})
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

// Verdicts of decision records.
const (
	VerdictDenied  = "denied"
	VerdictAllowed = "allowed"
)
