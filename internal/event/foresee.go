package event

import "encoding/binary"

// Events of one kind have their names in one order, so the scanner remembers which governed name followed which and first
// compares the bytes at hand with the one it expects. That spares reading, hashing and looking up the name, and weakens
// nothing: the bytes of a governed name between its quotes can mean nothing else, and all else takes the usual way.

// spelling is a governed name as it stands in an event, with the closing quote and the colon, made for comparing in two
// 8-byte steps: the first bytes and the last, which overlap or coincide in shorter names.
type spelling struct {
	text       string
	head, tail uint64
	mask       uint64 // of the bytes that count, when text is shorter than a step
	tailAt     int
	long       bool // the two steps leave a gap
}

func spell(name string) spelling {
	text := name + "\":"
	if len(text) <= 8 {
		padded := binary.LittleEndian.Uint64(append([]byte(text), make([]byte, 8)...))
		return spelling{text: text, head: padded, tail: padded, mask: ^uint64(0) >> (64 - 8*len(text))}
	}
	tailAt := len(text) - 8
	return spelling{
		text: text, mask: ^uint64(0), tailAt: tailAt, long: tailAt > 8,
		head: binary.LittleEndian.Uint64([]byte(text)), tail: binary.LittleEndian.Uint64([]byte(text[tailAt:])),
	}
}

// stands is whether buf has the spelling at `at`. It may say no where fewer than eight bytes are left.
func (sp *spelling) stands(buf []byte, at int) bool {
	if at+sp.tailAt+8 > len(buf) {
		return false
	}
	if binary.LittleEndian.Uint64(buf[at:])&sp.mask != sp.head ||
		binary.LittleEndian.Uint64(buf[at+sp.tailAt:])&sp.mask != sp.tail {
		return false
	}
	return !sp.long || string(buf[at:at+len(sp.text)]) == sp.text
}
