package event

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// The hash of a name is keyed per process, so a sender cannot prepare names that collide. It works on 8-byte words, the
// same steps the scanner takes while it reads a name, and ends with a word that holds the rest and the length.
var (
	hashSeed  = rand.Uint64()
	hashKey   = rand.Uint64() | 1
	exactSeed = rand.Uint64()
	exactKey  = rand.Uint64() | 1
)

const (
	everyByte = 0x0101010101010101
	highBits  = 0x80 * everyByte
	lowerBits = 0x20 * everyByte
)

// nameHash grows two hashes of a name side by side: folded treats ASCII letters of either case alike and finds governed
// names, exact tells the case apart and finds duplicates.
type nameHash struct{ folded, exact uint64 }

func startHash() nameHash { return nameHash{hashSeed, exactSeed} }

func (h nameHash) add(word uint64) nameHash {
	hi, lo := bits.Mul64(h.folded^(word|lowerBits), hashKey)
	return nameHash{hi ^ lo, (h.exact ^ word) * exactKey}
}

// finish takes the last 0 to 7 bytes, zero above them, and the length of the whole name.
func (h nameHash) finish(rest uint64, length int) (folded, exact uint32) {
	h = h.add(rest | uint64(length)<<56)
	return uint32(h.folded), uint32(h.folded>>32) ^ uint32(h.exact>>32)
}

func hashName(name []byte) (folded, exact uint32) {
	h, length := startHash(), len(name)
	for len(name) >= 8 {
		h = h.add(binary.LittleEndian.Uint64(name))
		name = name[8:]
	}
	var rest uint64
	for i, c := range name {
		rest |= uint64(c) << (8 * i)
	}
	return h.finish(rest, length)
}

// stops marks, in the top bit of each byte, what cannot simply be passed over inside a string: quotes, backslashes,
// control characters and everything above 0x7f. Only the lowest mark is exact, as a subtraction may borrow upwards.
func stops(word uint64) uint64 {
	quote := (word ^ '"'*everyByte) - everyByte
	backslash := (word ^ '\\'*everyByte) - everyByte
	control := word - ' '*everyByte
	return (quote | backslash | control | word) & highBits
}

// unusual marks bytes that are none of A-Z a-z 0-9 and the underscore. It is right only for bytes that stops passes.
func unusual(word uint64) uint64 {
	lower := word | lowerBits
	digit := (lower + (0x80-'0')*everyByte) &^ (lower + (0x7f-'9')*everyByte)
	letter := (lower + (0x80-'a')*everyByte) &^ (lower + (0x7f-'z')*everyByte)
	underscore := (lower + everyByte) &^ (word + everyByte)
	return ^(digit | letter | underscore) & highBits
}
