package segment

import (
	"net/netip"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

// Source is who a write key belongs to.
type Source struct {
	Name    string
	Browser bool // what it sends is in the hands of whoever sits in front of it
	IP      IPPolicy
	Events  map[string]bool // the event names it may send; nil for all
}

// IPPolicy says what of an address is kept. The zero value keeps nothing.
type IPPolicy uint8

// The policies.
const (
	DropIP     IPPolicy = iota
	TruncateIP          // the network: 24 bits of IPv4, 48 of IPv6
	KeepIP
)

// Request is what the connection says. Address, user agent and Sec-GPC count for browsers only: those of a server are not
// the user's.
type Request struct {
	ReceivedAt    time.Time
	CorrelationID string // empty: each event's own id
	IP            netip.Addr
	UserAgent     string
	GPC           bool
}

// Outcome is what became of one event: an Envelope, or a Fault. Its slices alias the body that was opened, or memory of the
// batch's own; they stand as long as the body is left alone.
type Outcome struct {
	EventID  []byte
	Envelope []byte       // canonical; nil for a fault
	Fault    *event.Fault // shared: do not change it
	Raw      []byte       // the event as it was sent; it may hold a write key
	Digest   [16]byte     // of what the sender does not change when it sends the event again; zero where nothing could be read
	Subject  Subject
	Removed  int             // properties of a browser that only a server may send
	Link     *Link           // identifiers that belong together
	Consent  *consent.Record // a choice the user has just made; its version is the writer's to give
}

// Subject is who an event is about, as clear text; an absent identifier is empty.
type Subject struct{ UserID, AnonymousID, AccountID []byte }

// Link says that the identifiers it has are one subject's, or, with an account, that the subject belongs to it. PreviousID is
// the user id, or the anonymous id, that an alias replaces.
type Link struct {
	Subject
	PreviousID []byte
}
