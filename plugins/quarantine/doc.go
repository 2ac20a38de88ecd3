// Package quarantine is the quarantine processor: it ends what a stream of the user's does not want to go on, such as a kind
// of record nobody has a mapping for.
//
// Guarantee: every message it gets becomes an encrypted quarantine record under the configured code, unflagged, and can be
// replayed once the stream knows what to do with it. Records that were quarantined before keep their code. No message passes
// as it was and none is dropped.
package quarantine
