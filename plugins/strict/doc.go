// Package strict is the strict_json processor: the first thing foreign bytes meet.
//
// Guarantee: what passes is one JSON object that every parser reads alike, and passes byte for byte. Anything else
// (duplicate names, invalid UTF-8, lone surrogates, trailing data, excess of depth or size) becomes an encrypted
// quarantine record with a code; its neighbours go on. An array may be split, and then that holds for each element: as many
// messages come out as there are elements, good and quarantined together.
//
// It stands before any mapping, because a mapping that read a duplicate name or a lone surrogate would already have
// chosen one of two meanings.
package strict
