// Package writekey makes the keys by which SDKs name their source, and checks them against hashes.
//
// A write key is no secret of much worth: browsers show it to everybody. It is kept as a hash nevertheless, so that
// configuration, logs and backups hold none, and it has 128 bits, so that nobody finds one by trying.
package writekey
