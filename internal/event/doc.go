// Package event is the ground of the product: the one JSON parser that decides what an event says. A Scanner reads the
// bytes strictly and once, and leaves an Index: a flat tape of values in document order, each with the governed Field it
// stands at. Everything after it works on the tape, and destinations get re-encoded bytes only.
//
// The scanner refuses whatever two JSON readers could understand differently, because that is how a redaction is
// bypassed: duplicate names, also through escapes; invalid UTF-8 and lone surrogates; a byte order mark or a second
// document; numbers no double holds; and near-names, which another reader, or a person, takes for a governed name.
//
// Near-names are names that become the governed name at their place by case folding, compatibility composition, removal
// of accents, invisible and control characters or surrounding space, or look-alike letters, and names that spell a path
// which begins with a governed name, such as `properties.email` or `email[0]`.
package event
