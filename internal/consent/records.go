package consent

import "time"

// Record is the current consent of one subject, as it lies in privacy.consent under the subject's pseudonym. A purpose that is
// absent from Purposes was never stated; it is neither given nor withdrawn.
type Record struct {
	Version   int64
	Purposes  map[string]bool
	Source    string
	ChangedAt time.Time
	Proof     string
	// StatedAt has the purposes that were stated at another moment than ChangedAt.
	StatedAt map[string]time.Time
	// Unreadable marks a record that could not be understood. It denies every purpose.
	Unreadable bool
}

// Suppression says that a subject must not be contacted. Lifted turns an earlier suppression off; Channels narrow what a sender
// may look at, but any suppression that is not lifted counts here.
type Suppression struct {
	Version    int64
	Channels   []string
	Reason     string
	Source     string
	ChangedAt  time.Time
	Lifted     bool
	Unreadable bool
}

// Erasure is the tombstone of an erased subject. It never expires, so its presence alone denies everything.
type Erasure struct {
	Epoch       int64
	RequestID   string
	RequestedAt time.Time
	State       string // fenced, deleted or verified
	Unreadable  bool
}

// State is everything known of one subject key. A nil part means that the (fresh) view has no record.
type State struct {
	Consent    *Record
	Suppressed *Suppression
	Erased     *Erasure
	// Unresolved says that more identifiers are linked to the key than can belong to one person, so that what is said of the
	// subject cannot be known. It denies everything.
	Unresolved bool
}
