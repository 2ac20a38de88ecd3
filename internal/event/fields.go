package event

// Field is a governed place in an event, as numbered by one Dictionary. Only the envelope's fields have the same number in
// every Dictionary; others must not be compared across dictionaries.
type Field uint16

// NoField is the Field of everything that is not governed.
const NoField Field = 0

// The envelope's fields, the same in every Dictionary.
const (
	EventName Field = iota + 1
	EventID
	Timestamp
	ReceivedAt
	Subject
	UserID
	AccountID
	AnonymousID
	Consent
	ConsentSource
	ConsentCheckedAt
	ConsentVersion
	Context
	ContextSource
	SchemaVersion
	CorrelationID
	ContextIP
	ContextUserAgent
	Properties
	// NumEnvelopeFields is one above the highest envelope field, so an array of this length is indexed by Field.
	NumEnvelopeFields
)

var envelopePaths = [NumEnvelopeFields]string{
	EventName:        "event_name",
	EventID:          "event_id",
	Timestamp:        "timestamp",
	ReceivedAt:       "received_at",
	Subject:          "subject",
	UserID:           "subject.user_id",
	AccountID:        "subject.account_id",
	AnonymousID:      "subject.anonymous_id",
	Consent:          "consent",
	ConsentSource:    "consent.source",
	ConsentCheckedAt: "consent.checked_at",
	ConsentVersion:   "consent.version",
	Context:          "context",
	ContextSource:    "context.source",
	SchemaVersion:    "context.schema_version",
	CorrelationID:    "context.correlation_id",
	ContextIP:        "context.ip",
	ContextUserAgent: "context.user_agent",
	Properties:       "properties",
}
