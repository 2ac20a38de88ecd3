// Package identity is the identity processor: the last step before an event enters events.raw.
//
// Guarantee: what passes is a valid envelope with an event_id that a retry of the same event gets again, a received_at,
// and lineage metadata (event_id, subject_key, correlation_id). Subjects appear there only as keyed pseudonyms. An event
// without name, time, subject or source becomes an encrypted quarantine record; its neighbours go on.
package identity
