// Package redact is the redact processor: it carries out what consent and policy decided.
//
// Guarantee: for each destination that may have an event, one record is made that holds exactly the fields the policy
// allows there, re-encoded, and is sealed: the outputs of ours deliver nothing else to a destination. Every denial becomes a
// decision record with ids, rule and reason, never values. An event without a judgement of exactly its present bytes, be it
// because the consent processor is missing or because another processor rewrote it since, becomes an encrypted quarantine
// record.
package redact
