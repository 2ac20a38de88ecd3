package receipt

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Receipt is one attempt.
type Receipt struct {
	// ID is drawn for each attempt and sorts by time.
	ID string `json:"receipt_id"`
	// At is when the attempt had arrived, in UTC.
	At time.Time `json:"received_at"`
	// Source is the configured name of the endpoint, Scheme how its deliveries are signed.
	Source string `json:"source"`
	Scheme string `json:"scheme"`
	// Delivery is the id the provider gives the event, Type its type, and EventID what the id becomes here. All are empty where the signature
	// was not good: nothing a stranger wrote is kept. Attempt is the provider's own count, or zero.
	Delivery string `json:"delivery_id,omitempty"`
	EventID  string `json:"event_id,omitempty"`
	Type     string `json:"event_type,omitempty"`
	Attempt  int    `json:"attempt,omitempty"`
	// Correlation is the id under which the attempt and its event are followed.
	Correlation string `json:"correlation_id"`
	// Verification is ok or the code of what was wrong; Key is the configured id of the secret that matched.
	Verification string `json:"verification"`
	Key          string `json:"key_id,omitempty"`
	// BodySHA256 is of the bytes as they arrived, in hex.
	BodySHA256 string `json:"body_sha256"`
	BodyBytes  int    `json:"body_bytes"`
	// Remote is the class of the sender's address: loopback, private, public or unknown.
	Remote string `json:"remote"`
	// Status is the HTTP status the attempt was answered with.
	Status int `json:"status"`
	// Raw is where the delivery's raw record is; nil where none was written.
	Raw *Ref `json:"raw,omitempty"`
}

// Ref is a broker position.
type Ref struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

// Verified is the verification of a good signature.
const Verified = "ok"

// SameBodyAs tells whether the other delivery brought the same bytes from the same source as another event. That is what one
// looks like which somebody captured and sent again under an id of their own, where the provider does not sign the id.
func (r *Receipt) SameBodyAs(other *Receipt) bool {
	return r.Source == other.Source && r.BodySHA256 == other.BodySHA256 && r.EventID != other.EventID &&
		r.Verification == Verified && other.Verification == Verified
}

// Bears tells whether an id is one of the receipt's: its own, the event's here or at the provider, or the correlation id.
func (r *Receipt) Bears(id string) bool {
	return id != "" && (id == r.ID || id == r.EventID || id == r.Delivery || id == r.Correlation)
}

// NewID draws an id. Ids of later times sort later.
func NewID() string {
	id, err := uuid.NewV7()
	if err != nil { // the system has no randomness: nothing works then
		panic(err)
	}
	return "rcp_" + hex.EncodeToString(id[:])
}

// SumBody is the form of BodySHA256.
func SumBody(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Append appends the receipt as one JSON object.
func (r *Receipt) Append(dst []byte) ([]byte, error) {
	line, err := json.Marshal(r)
	return append(dst, line...), err
}

// ErrMalformed is returned for data that is no receipt.
var ErrMalformed = errors.New("receipt.malformed: the data is not a receipt")

// Parse reads what Append wrote.
func Parse(data []byte) (*Receipt, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	r := &Receipt{}
	if err := decoder.Decode(r); err != nil || decoder.More() || r.ID == "" || r.Source == "" || r.Status == 0 {
		return nil, ErrMalformed // the cause may quote the data
	}
	return r, nil
}
