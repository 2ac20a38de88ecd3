// Package keys holds the one secret of a workspace and everything that is derived from it.
//
// A master file has one line per master, `ebbgate-master-1:<key id>:<base64 of 32 bytes>`. The first line is current: it
// signs, tokenises and encrypts. Every line is accepted for verifying and decrypting, so a key is rotated by putting a
// new line on top. Each use has its own key, derived with HKDF-SHA256 from a master and a label that names the purpose
// and its parts; no two labels are equal, so a seal key can never stand in for a token key.
//
// Subject pseudonyms are the exception to rotation: they come from the last (oldest) line, because the consent,
// suppression and erasure topics are keyed by them and must still be found after a rotation. Never remove the last line:
// every consent would be out of reach and nothing would be delivered.
//
// A Ring cannot be printed, logged or marshalled, on any path: the secrets sit behind a function value, which neither
// fmt, encoding packages nor reflection can look into.
package keys
