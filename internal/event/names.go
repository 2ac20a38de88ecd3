package event

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// name reads the member name whose first character stands at `at`: it checks it, refuses duplicates and near-names, and
// finds the place it governs. It gives the position of the closing quote, or a negative one. Names of ASCII letters, digits
// and underscores, nearly all there are, are read and hashed in 8-byte steps; all others go to unusualName.
func (s *Scanner) name(at int, set *nameSet) (member, int) {
	buf, end := s.buf, at
	h, odd := startHash(), uint64(0)
	for end+8 <= len(buf) {
		word := binary.LittleEndian.Uint64(buf[end:])
		marks := stops(word)
		if marks == 0 {
			h, odd = h.add(word), odd|unusual(word)
			end += 8
			continue
		}
		bit := bits.TrailingZeros64(marks) &^ 7
		rest := uint64(1)<<bit - 1
		end += bit >> 3
		if buf[end] != '"' || odd|unusual(word)&rest != 0 || end-at > s.limits.MaxKey {
			break
		}
		folded, exact := h.finish(word&rest, end-at)
		return s.plainName(at, end, folded, exact, set)
	}
	return s.unusualName(at, set)
}

// plainName resolves a name whose text is its span and whose normal form is its ASCII lower case.
func (s *Scanner) plainName(at, end int, folded, exact uint32, set *nameSet) (member, int) {
	text := s.buf[at:end]
	found, near := set.where.byHash(folded, text)
	if near {
		s.fail(CodeNearName, at)
		return member{}, s.failedAt(found)
	}
	return s.admit(at, end, 0, text, exact, found, set)
}

// unusualName takes its time over any other name: escapes, hyphens, punctuation, letters beyond ASCII, broken names, and
// those that stand so near the end of the event that 8-byte steps would pass it.
func (s *Scanner) unusualName(at int, set *nameSet) (member, int) {
	end, flags := s.restOfString(at)
	if end < 0 {
		return member{}, s.failedAt(nowhere)
	}
	text, flags := s.buf[at:end], flags&ValueEscaped
	if flags != 0 {
		flags = KeyEscaped
		s.text = appendUnescaped(s.text[:0], text)
		text = s.text
	}
	if len(text) > s.limits.MaxKey {
		s.fail(CodeKeyTooLong, at)
		return member{}, s.failedAt(nowhere)
	}
	if bytes.IndexByte(text, 0) >= 0 {
		s.fail(CodeControlChar, at)
		return member{}, s.failedAt(nowhere)
	}
	folded, exact := hashName(text)
	found, near := nowhere, false
	switch {
	case set.where.opaque:
	case plain(text):
		found, near = set.where.byHash(folded, text)
	default:
		found, near = s.governs(set.where, text)
	}
	if near {
		s.fail(CodeNearName, at)
		return member{}, s.failedAt(found)
	}
	return s.admit(at, end, flags, text, exact, found, set)
}

// governs finds what a name of any characters governs at this place, or the place it only comes near: by its normal form,
// or by the first step of the path it spells.
func (s *Scanner) governs(where *place, text []byte) (found *place, near bool) {
	fold := s.normal.name(text)
	if found = where.byFold(fold); found != nil {
		return found, found.name != string(text)
	}
	if step, isPath := firstStep(fold); isPath {
		if found = where.byFold(step); found != nil {
			return found, true
		}
	}
	return nowhere, false
}

// admit counts the name and refuses it when the object has it already.
func (s *Scanner) admit(at, end int, flags uint8, text []byte, exact uint32, found *place, set *nameSet) (member, int) {
	if set.keys++; set.keys > s.limits.MaxKeys {
		s.fail(CodeTooManyKeys, at)
		return member{}, s.failedAt(found)
	}
	var again bool
	if found.field != NoField {
		again = s.names.seen[found.field] == set.generation
		s.names.seen[found.field] = set.generation
		*set.hint, set.hint = found, &s.names.after[found.field]
	} else {
		again = s.repeats(set, exact, text)
	}
	if again {
		s.fail(CodeDuplicateName, at)
		return member{}, s.failedAt(found)
	}
	return member{place: found, keyStart: uint32(at), keyEnd: uint32(end), flags: flags}, end
}

// byHash finds the place below p that a plain name governs exactly, or else the one it only comes near.
func (p *place) byHash(hash uint32, name []byte) (found *place, near bool) {
	mask := uint32(len(p.slots) - 1)
	for at := hash & mask; p.slots[at].place != nil; at = (at + 1) & mask {
		if p.slots[at].hash != hash {
			continue
		}
		below := p.slots[at].place
		if below.name == string(name) {
			return below, false
		}
		if sameFold(below.fold, name) {
			return below, true
		}
	}
	return nowhere, false
}

func sameFold(fold string, name []byte) bool {
	if len(fold) != len(name) {
		return false
	}
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if fold[i] != c {
			return false
		}
	}
	return true
}

// plain is whether the name's normal form is its ASCII lower case and it spells no path.
func plain(name []byte) bool {
	for _, c := range name {
		lower := c | 0x20
		if !(lower >= 'a' && lower <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}
