package seal

import (
	"fmt"
	"strconv"
	"strings"
)

// Names of the headers a sealed record carries. Together with topic, key and body they are the whole Record.
const (
	HeaderDestination    = "ebbgate_destination"
	HeaderPolicy         = "ebbgate_policy"
	HeaderConsentVersion = "ebbgate_consent_version"
	HeaderRequires       = "ebbgate_requires"
	HeaderClass          = "ebbgate_class"
	HeaderTopic          = "ebbgate_topic"
	HeaderEventID        = "event_id"
	HeaderSubjectKey     = "subject_key"
	HeaderCorrelationID  = "correlation_id"
	HeaderSrcTopic       = "src_topic"
	HeaderSrcPartition   = "src_partition"
	HeaderSrcOffset      = "src_offset"
	// HeaderSeal holds the seal itself; it is not among HeaderNames, because the record does not know it.
	HeaderSeal = "ebbgate_seal"
)

// HeaderNames lists the headers of a record in the order of Record.Headers.
var HeaderNames = [...]string{
	HeaderDestination, HeaderPolicy, HeaderConsentVersion, HeaderRequires, HeaderClass, HeaderTopic,
	HeaderEventID, HeaderSubjectKey, HeaderCorrelationID, HeaderSrcTopic, HeaderSrcPartition, HeaderSrcOffset,
}

// Record is everything a seal covers.
type Record struct {
	// Destination is the named place the record may go to.
	Destination string
	// Policy is the version of the policy that allowed it.
	Policy string
	// EventID is the event's id.
	EventID string
	// Topic is where the record is written.
	Topic string
	// Key is the record's key: the primary (first) pseudonym of SubjectKey.
	Key string
	// SubjectKey lists the pseudonyms of the event's subject, primary first, joined by commas.
	SubjectKey string
	// CorrelationID is the event's correlation id, or empty.
	CorrelationID string
	// Class is the event's data class.
	Class string
	// Requires lists the purposes the decision relied on, and the fields that rely on more than the first.
	Requires string
	// ConsentVersion is the version of the consent record the decision saw, decimal, or empty.
	ConsentVersion string
	// SrcTopic, SrcPartition and SrcOffset are the position this record was made from; SrcTopic is empty if there is none,
	// and the other two are then zero.
	SrcTopic     string
	SrcPartition int32
	SrcOffset    int64
	// Body is the bytes as written. The record does not own them.
	Body []byte
}

// Header is a name and its value.
type Header struct{ Name, Value string }

// Headers returns the record's headers, without the seal, in the order of HeaderNames. Empty values are left out.
func (rec *Record) Headers() []Header {
	return rec.AppendHeaders(make([]Header, 0, len(HeaderNames)))
}

// AppendHeaders is Headers into a slice of the caller.
func (rec *Record) AppendHeaders(dst []Header) []Header {
	dst = appendHeader(dst, HeaderDestination, rec.Destination)
	dst = appendHeader(dst, HeaderPolicy, rec.Policy)
	dst = appendHeader(dst, HeaderConsentVersion, rec.ConsentVersion)
	dst = appendHeader(dst, HeaderRequires, rec.Requires)
	dst = appendHeader(dst, HeaderClass, rec.Class)
	dst = appendHeader(dst, HeaderTopic, rec.Topic)
	dst = appendHeader(dst, HeaderEventID, rec.EventID)
	dst = appendHeader(dst, HeaderSubjectKey, rec.SubjectKey)
	dst = appendHeader(dst, HeaderCorrelationID, rec.CorrelationID)
	if rec.SrcTopic == "" {
		return dst
	}
	return append(dst,
		Header{HeaderSrcTopic, rec.SrcTopic},
		Header{HeaderSrcPartition, strconv.FormatInt(int64(rec.SrcPartition), 10)},
		Header{HeaderSrcOffset, strconv.FormatInt(rec.SrcOffset, 10)})
}

func appendHeader(dst []Header, name, value string) []Header {
	if value == "" {
		return dst
	}
	return append(dst, Header{name, value})
}

// PrimaryKey returns the first pseudonym of a comma-joined list.
func PrimaryKey(subjectKey string) string {
	primary, _, _ := strings.Cut(subjectKey, ",")
	return primary
}

// FromHeaders rebuilds a record that was read from topic with key and body, and the seal it carries. See ReadHeaders.
func FromHeaders(get func(name string) (string, bool), topic, key string, body []byte) (*Record, string, error) {
	rec := new(Record)
	text, err := rec.ReadHeaders(get, topic, key, body)
	if err != nil {
		return nil, "", err
	}
	return rec, text, nil
}

// ReadHeaders fills rec from headers and from where the record was really read, and returns the seal to verify. An absent
// header is an empty field. It returns ErrMissing when there is no seal, and ErrMismatch when the headers contradict the
// topic or the key, or are not as Headers writes them. The record is not verified yet, and it aliases body. A record that
// came with an error must not be used.
func (rec *Record) ReadHeaders(get func(name string) (string, bool), topic, key string, body []byte) (string, error) {
	text, _ := get(HeaderSeal)
	if text == "" {
		return "", ErrMissing
	}
	value := func(name string) string {
		v, _ := get(name)
		return v
	}
	*rec = Record{
		Destination:    value(HeaderDestination),
		Policy:         value(HeaderPolicy),
		ConsentVersion: value(HeaderConsentVersion),
		Requires:       value(HeaderRequires),
		Class:          value(HeaderClass),
		Topic:          value(HeaderTopic),
		EventID:        value(HeaderEventID),
		SubjectKey:     value(HeaderSubjectKey),
		CorrelationID:  value(HeaderCorrelationID),
		SrcTopic:       value(HeaderSrcTopic),
		Key:            key,
		Body:           body,
	}
	if rec.Topic != topic {
		return "", fmt.Errorf("%w: it was sealed for another topic than it was read from", ErrMismatch)
	}
	if PrimaryKey(rec.SubjectKey) != key {
		return "", fmt.Errorf("%w: its key is not the first of its %s", ErrMismatch, HeaderSubjectKey)
	}
	partition, okPartition := readInt(value(HeaderSrcPartition), rec.SrcTopic, 32)
	offset, okOffset := readInt(value(HeaderSrcOffset), rec.SrcTopic, 64)
	if !okPartition || !okOffset {
		return "", fmt.Errorf("%w: its %s or %s is malformed", ErrMismatch, HeaderSrcPartition, HeaderSrcOffset)
	}
	rec.SrcPartition, rec.SrcOffset = int32(partition), offset
	return text, nil
}

// readInt accepts only the one spelling that Headers writes, and nothing where there is no source topic.
func readInt(text, srcTopic string, bits int) (int64, bool) {
	if srcTopic == "" {
		return 0, text == ""
	}
	n, err := strconv.ParseInt(text, 10, bits)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}
