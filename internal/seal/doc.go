// Package seal makes and checks the proof that a decision allowed exactly these bytes for this destination.
//
// A seal is HMAC-SHA256, under a key of its own per destination, over every field of a Record: what the record's headers
// say, where it was written, its key and its body. Each field enters with its length, so that no two records share an
// input. A sink that is configured for a destination verifies with that destination's key and delivers nothing else: a
// record that was never sealed, was sealed for another destination, was moved to another topic or changed by one bit is
// refused.
//
// The text of a seal is "s1.<key id>.<43 characters>": the whole 256 bits, base64url without padding. It is compared as
// text and in constant time, so that a second spelling of the same bits is refused as well.
package seal
