// Package consent decides which purposes hold for an event: the claim the event carries, joined with what the consent log,
// the suppression list and the erasure register say of its subject now.
//
// It fails closed. What is missing, unreadable or not boolean is never consent, and over several identifiers of one subject
// the most restrictive statement wins. The package is pure: it reads no store and no clock.
package consent
