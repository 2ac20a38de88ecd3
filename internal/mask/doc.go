// Package mask has the transforms that a policy may put between a field and a destination.
//
// A transform either understands a value and appends what may be seen of it, or it returns an error and appends nothing;
// it never hands on a value it does not understand. The caller then leaves the field out and counts it. Errors say what
// was expected and hold nothing of the value. What a transform appends is text: the caller encodes it as a JSON string,
// whatever the field's own type was.
//
// Transforms are immutable, safe for concurrent use, and do not allocate when dst has room.
//
//	tokenize       the same value gives the same token, at one destination and field, under one master; nobody without
//	               the key can find the value by trying
//	mask: email    a***@example.com: the first character, if the local part has four or more, and the domain
//	mask: phone    +49***67: the country code, if written, and the last two digits
//	mask: last_four ****1234
//	truncate_ip    the network: 203.0.113.0, 2001:db8:1::
//	truncate_time  the hour, day, month or year in UTC
//	truncate       the first n characters
//	bucket         <10, 10-50, >=50
//	scrub          free text without e-mail addresses, phone and card numbers, and IP addresses
//
// A token is pseudonymous, not anonymous, and a domain, a country code or a network can still point at few people: a
// policy decides whether that is enough.
package mask
