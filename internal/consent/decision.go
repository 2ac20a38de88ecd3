package consent

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"

	"github.com/ebbgate/ebbgate/internal/event"
)

// What was decided of an event at a destination.
const (
	Allowed = "allowed"
	Denied  = "denied"
)

// Decision is one record of privacy.decisions: what was decided of one event at one destination, by which rule and on which state.
// Of the event it holds its id, its name and when it happened, and no other value.
type Decision struct {
	EventID        string
	EventName      string
	Timestamp      string // when the user acted, as the event says
	Destination    string
	Verdict        string // Allowed or Denied
	Reason         string // "" when allowed
	Rule           string // policy.yaml:41
	Policy         string // version of the policy
	ConsentVersion int64
	Stage          string // validate, govern or export
}

var idEncoding = base32.HexEncoding.WithPadding(base32.NoPadding)

// ID is the same for the same decision however often it is made, so that a repeat is recognised.
func (d *Decision) ID() string { return string(d.appendID(nil)) }

func (d *Decision) appendID(dst []byte) []byte {
	var scratch [512]byte
	input := append(scratch[:0], "ebbgate decision 1"...)
	for _, part := range [...]string{d.EventID, d.Destination, d.Policy, d.Stage, d.Verdict} {
		input = binary.BigEndian.AppendUint32(input, uint32(len(part)))
		input = append(input, part...)
	}
	input = binary.BigEndian.AppendUint64(input, uint64(d.ConsentVersion))
	sum := sha256.Sum256(input)
	return idEncoding.AppendEncode(append(dst, "dec_"...), sum[:16])
}

// Append appends the decision as JSON. It does not allocate but for dst.
func (d *Decision) Append(dst []byte) []byte {
	dst = append(dst, `{"decision_id":"`...)
	dst = d.appendID(dst)
	dst = append(dst, '"')
	dst = appendText(dst, `,"event_id":`, d.EventID)
	if d.EventName != "" {
		dst = appendText(dst, `,"event_name":`, d.EventName)
	}
	if _, ok := event.ParseTime([]byte(d.Timestamp)); ok { // anything else would be text of the event
		dst = appendText(dst, `,"timestamp":`, d.Timestamp)
	}
	dst = appendText(dst, `,"destination":`, d.Destination)
	dst = appendText(dst, `,"verdict":`, d.Verdict)
	dst = appendText(dst, `,"reason":`, d.Reason)
	dst = appendText(dst, `,"rule":`, d.Rule)
	dst = appendText(dst, `,"policy":`, d.Policy)
	dst = append(dst, `,"consent_version":`...)
	dst = strconv.AppendInt(dst, d.ConsentVersion, 10)
	dst = appendText(dst, `,"stage":`, d.Stage)
	return append(dst, '}')
}
