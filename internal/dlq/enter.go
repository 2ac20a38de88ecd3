package dlq

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// Why an entry cannot be sent through again.
var (
	errGone        = &event.Fault{Code: "replay.gone", Remedy: "the record it was read from has expired, and with it the headers its stage needs: have the sender send it again"}
	errNoPayload   = &event.Fault{Code: "replay.no_payload", Remedy: "the quarantine holds no copy, and the record it was read from has expired: have the sender send it again"}
	errUndeclared  = &event.Fault{Code: "replay.undeclared_topic", Remedy: "topics.yaml does not declare the topic it was read from: declare it, with its role"}
	errSealed      = &event.Fault{Code: "replay.sealed", Remedy: "what is sealed for a destination cannot be corrected: mend what refused it and replay it as it is"}
	errNowhere     = &event.Fault{Code: "replay.no_raw_topic", Remedy: "no topic has role raw: a corrected event has to be judged from the start"}
	errUnknownTurn = &event.Fault{Code: "replay.wrong_topic", Remedy: "events are not read from such a topic: find out who wrote the record"}
)

// renewed are the headers a record gets anew when it enters again; those of an earlier time are dropped.
var renewed = map[string]bool{stage.MetaReplayID: true, "traceparent": true}

// entrance makes the record by which an entry enters again.
type entrance struct {
	book     *Book
	cipher   *quarantine.Cipher
	correct  func([]byte) ([]byte, error) // nil to leave events as they are
	replayID string
}

// record gives the record, or a fault that says why there can be none. Any other error is of the brokers or the keys.
func (n *entrance) record(ctx context.Context, e *Entry) (*kgo.Record, error) {
	from, declared := n.book.topics.Topic(e.Ref.Topic)
	if !declared {
		return nil, errUndeclared
	}
	origin, err := n.book.reader.At(ctx, e.Ref.Topic, e.Ref.Partition, e.Ref.Offset)
	if err != nil {
		return nil, err
	}
	to, err := n.topic(from, origin != nil)
	if err != nil {
		return nil, err
	}
	body, err := n.body(e, origin)
	if err != nil {
		return nil, err
	}
	rec := &kgo.Record{Topic: to, Value: body}
	if origin != nil {
		rec.Key, rec.Headers = origin.Key, n.headers(origin.Headers)
	} else {
		rec.Key, rec.Headers = keyOf(e.headers), n.headers(lineage(e.headers))
	}
	if from.Role == topics.Raw || from.Role == topics.Validated {
		rec.Headers = withOrigin(rec.Headers, e.Ref)
	}
	rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: stage.MetaReplayID, Value: []byte(n.replayID)})
	return rec, nil
}

// topic is where an event that was read from a topic enters again. Bytes that are not those that were read there, because they are
// corrected or the quarantine's copy, are judged from the start.
func (n *entrance) topic(from topics.Topic, read bool) (string, error) {
	asRead := read && n.correct == nil
	switch {
	case from.Destination != "" && n.correct != nil:
		return "", errSealed
	case from.Destination != "" && asRead, from.Role == topics.Inbound && read, from.Role == topics.Raw, from.Role == topics.Validated && asRead:
		return from.Name, nil
	case from.Destination != "", from.Role == topics.Inbound:
		return "", errGone
	case from.Role != topics.Validated:
		return "", errUnknownTurn
	}
	if raw, ok := n.book.topics.ByRole(topics.Raw); ok {
		return raw.Name, nil
	}
	return "", errNowhere
}

// body is the event as it was read, or else the quarantine's copy of it, corrected where it should be.
func (n *entrance) body(e *Entry, origin *kgo.Record) (body []byte, err error) {
	switch {
	case origin != nil:
		body = origin.Value
	case e.Payload == nil:
		return nil, errNoPayload
	default:
		if body, err = n.cipher.Decrypt(e.Payload, e.Ref); err != nil {
			return nil, fmt.Errorf("decrypting %s: %w", e.ID, err)
		}
	}
	if n.correct == nil {
		return body, nil
	}
	return n.correct(body)
}

// headers are those of a record that still hold. A digest is of the event as its sender wrote it, which a correction changes.
func (n *entrance) headers(all []kgo.RecordHeader) (kept []kgo.RecordHeader) {
	for _, h := range all {
		if renewed[h.Key] || n.correct != nil && h.Key == stage.MetaContentDigest {
			continue
		}
		kept = append(kept, h)
	}
	return kept
}

// lineage are the headers of a quarantine record that are of its event and not of its failure.
func lineage(all []kgo.RecordHeader) (kept []kgo.RecordHeader) {
	for _, h := range all {
		switch h.Key {
		case seal.HeaderEventID, stage.MetaSubjectKey, stage.MetaCorrelationID, stage.MetaContentDigest,
			stage.HeaderSrcTopic, stage.HeaderSrcPartition, stage.HeaderSrcOffset:
			kept = append(kept, h)
		}
	}
	return kept
}

// keyOf is the key that keeps a subject's events in order: its first pseudonym.
func keyOf(headers []kgo.RecordHeader) []byte {
	for _, h := range headers {
		if h.Key == stage.MetaSubjectKey {
			first, _, _ := bytes.Cut(h.Value, []byte(","))
			return first
		}
	}
	return nil
}

// withOrigin says where the event entered the pipelines, unless an earlier hop has: by that a sink knows copies of it.
func withOrigin(headers []kgo.RecordHeader, ref quarantine.Ref) []kgo.RecordHeader {
	for _, h := range headers {
		if h.Key == stage.HeaderSrcTopic {
			return headers
		}
	}
	return append(headers,
		kgo.RecordHeader{Key: stage.HeaderSrcTopic, Value: []byte(ref.Topic)},
		kgo.RecordHeader{Key: stage.HeaderSrcPartition, Value: strconv.AppendInt(nil, int64(ref.Partition), 10)},
		kgo.RecordHeader{Key: stage.HeaderSrcOffset, Value: strconv.AppendInt(nil, ref.Offset, 10)})
}
