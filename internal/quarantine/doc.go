// Package quarantine is the form of records that could not go on: what was wrong, where the record is, and the record
// itself, encrypted. A quarantine record holds no clear text of the event, so the topic may be kept and read by operators
// who may not see the data.
//
// The ciphertext is XAES-256-GCM (C2SP), whose 192-bit nonces are safe to draw at random for any number of records; an
// attacker who floods the door with bad events cannot wear the key out. The position of the record is authenticated with
// it: a ciphertext that is copied into another record does not decrypt.
package quarantine
