package quarantine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
)

// Ref is where a record is: the position at which the input read it.
type Ref struct {
	Topic     string
	Partition int32
	Offset    int64
}

// Record is one quarantined event.
type Record struct {
	// EventID is the event's id, or empty if the event could not be read.
	EventID string
	// EventName is the event's name where a contract has it, or empty: what no contract knows is a text of the sender's.
	EventName string
	// Code is the fault's code, such as contract.type. Path is the field it was found at, or empty; it names fields, never
	// values. Stage is the processor that found it.
	Code, Path, Stage string
	// Destination is the only one that will not get the event, or empty if none will get it from here on.
	Destination string
	// Attempts counts how often the event was tried, from 1.
	Attempts int
	// First and Last are when the first and the last attempt failed, in UTC.
	First, Last time.Time
	// Ref is where the event is.
	Ref Ref
	// Payload is the encrypted event, a JSON object that Cipher.Decrypt reads; nil if it could not be encrypted. Then Ref is
	// the only way to the event. It is never clear text.
	Payload []byte
}

// New makes the record of a first failure. plaintext is the event's bytes; it is encrypted, not kept. If c is nil or
// cannot encrypt it (it is larger than MaxPlaintext), the record has no payload.
func New(code, path, stage string, ref Ref, eventID string, plaintext []byte, c *Cipher, now time.Time) *Record {
	now = now.UTC()
	rec := &Record{EventID: eventID, Code: code, Path: path, Stage: stage, Attempts: 1, First: now, Last: now, Ref: ref}
	if c == nil || plaintext == nil {
		return rec
	}
	if payload, err := c.Encrypt(plaintext, ref); err == nil {
		rec.Payload = payload
	}
	return rec
}

// ErrMalformed is returned for data that is not a record as Append writes it.
var ErrMalformed = errors.New("quarantine.malformed: the data is not a quarantine record")

// Append appends the record as one JSON object. Texts that are not UTF-8 are repaired with U+FFFD. A payload that is not
// an encrypted envelope is left out rather than written.
func (r *Record) Append(dst []byte) []byte {
	dst = append(dst, '{')
	if r.EventID != "" {
		dst = appendString(append(dst, `"event_id":`...), r.EventID)
		dst = append(dst, ',')
	}
	if r.EventName != "" {
		dst = appendString(append(dst, `"event_name":`...), r.EventName)
		dst = append(dst, ',')
	}
	dst = appendString(append(dst, `"code":`...), r.Code)
	if r.Path != "" {
		dst = appendString(append(dst, `,"path":`...), r.Path)
	}
	dst = appendString(append(dst, `,"stage":`...), r.Stage)
	if r.Destination != "" {
		dst = appendString(append(dst, `,"destination":`...), r.Destination)
	}
	dst = strconv.AppendInt(append(dst, `,"attempts":`...), int64(r.Attempts), 10)
	dst = appendTime(append(dst, `,"first":`...), r.First)
	dst = appendTime(append(dst, `,"last":`...), r.Last)
	dst = appendString(append(dst, `,"ref":{"topic":`...), r.Ref.Topic)
	dst = strconv.AppendInt(append(dst, `,"partition":`...), int64(r.Ref.Partition), 10)
	dst = strconv.AppendInt(append(dst, `,"offset":`...), r.Ref.Offset, 10)
	dst = append(dst, '}')
	if _, err := parseEnvelope(r.Payload); err == nil {
		dst = append(append(dst, `,"payload":`...), r.Payload...)
	}
	return append(dst, '}')
}

// wireRecord is the shape encoding/json reads.
type wireRecord struct {
	EventID     string          `json:"event_id"`
	EventName   string          `json:"event_name"`
	Code        string          `json:"code"`
	Path        string          `json:"path"`
	Stage       string          `json:"stage"`
	Destination string          `json:"destination"`
	Attempts    int             `json:"attempts"`
	First       time.Time       `json:"first"`
	Last        time.Time       `json:"last"`
	Ref         wireRef         `json:"ref"`
	Payload     json.RawMessage `json:"payload"`
}

type wireRef struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

// ParseRecord reads what Append wrote, and only that: another order, a repeated or unknown name, other spacing or a
// payload that is no envelope is ErrMalformed, so two readers can never disagree. The record does not alias data.
func ParseRecord(data []byte) (*Record, error) {
	var wire wireRecord
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, fmt.Errorf("parsing a quarantine record: %w", ErrMalformed) // the cause may quote the data
	}
	rec := &Record{
		EventID: wire.EventID, EventName: wire.EventName, Code: wire.Code, Path: wire.Path, Stage: wire.Stage, Destination: wire.Destination, Attempts: wire.Attempts,
		First: wire.First.UTC(), Last: wire.Last.UTC(), Ref: Ref(wire.Ref), Payload: wire.Payload,
	}
	if !bytes.Equal(rec.Append(make([]byte, 0, len(data))), data) {
		return nil, fmt.Errorf("parsing a quarantine record: %w", ErrMalformed)
	}
	return rec, nil
}

func appendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

func appendString(dst []byte, text string) []byte { return event.AppendString(dst, []byte(text)) }
