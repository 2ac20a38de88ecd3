package event

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// string checks the string whose first character stands at `at` and gives the position of its closing quote, or a negative
// one, and the node flags it earns.
func (s *Scanner) string(at int) (int, uint8) {
	buf, flags := s.buf, uint8(0)
	end := skipPlain(buf, at)
	if end >= len(buf) || buf[end] != '"' {
		if end, flags = s.restOfString(end); end < 0 {
			return end, flags
		}
	}
	if end-at > s.limits.MaxString && s.textLength(at, end, flags) > s.limits.MaxString {
		return s.fail(CodeStringTooLong, at-1), 0
	}
	return end, flags
}

// restOfString reads on where 8-byte steps stopped: at an escape, at bytes above 0x7f, near the end of the event.
func (s *Scanner) restOfString(at int) (int, uint8) {
	buf, flags := s.buf, uint8(0)
	for at < len(buf) {
		switch c := buf[at]; {
		case c == '"':
			return at, flags
		case c == '\\':
			flags |= ValueEscaped
			s.untidy++
			if at = s.escape(at); at < 0 {
				return at, flags
			}
		case c < ' ':
			return s.fail(CodeControlChar, at), flags
		case c >= utf8.RuneSelf:
			flags |= NonASCII
			r, size := utf8.DecodeRune(buf[at:])
			if r == utf8.RuneError && size == 1 {
				return s.fail(CodeUTF8, at), flags
			}
			at += size
		default:
			at = skipPlain(buf, at+1)
		}
	}
	return s.fail(CodeSyntax, at), flags
}

// skipPlain passes over whole words of plain characters, then up to the first that is not plain.
func skipPlain(buf []byte, at int) int {
	for rest := buf[at:]; len(rest) >= 8; rest = rest[8:] {
		if marks := stops(binary.LittleEndian.Uint64(rest)); marks != 0 {
			return at + bits.TrailingZeros64(marks)>>3
		}
		at += 8
	}
	return at
}

// escape checks the escape whose backslash stands at `at` and gives the position behind it, or a negative one.
func (s *Scanner) escape(at int) int {
	if at+1 >= len(s.buf) {
		return s.fail(CodeSyntax, at)
	}
	switch s.buf[at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 2
	case 'u':
	default:
		return s.fail(CodeSyntax, at)
	}
	r := hexRune(s.buf, at+2)
	switch {
	case r < 0:
		return s.fail(CodeSyntax, at)
	case !utf16.IsSurrogate(r):
		return at + 6
	case at+8 <= len(s.buf) && s.buf[at+6] == '\\' && s.buf[at+7] == 'u' &&
		utf16.DecodeRune(r, hexRune(s.buf, at+8)) != utf8.RuneError:
		return at + 12
	}
	return s.fail(CodeSurrogate, at)
}

// hexRune reads four hexadecimal digits, or gives -1.
func hexRune(buf []byte, at int) rune {
	if at+4 > len(buf) {
		return -1
	}
	var r rune
	for _, c := range buf[at : at+4] {
		digit := hexDigits[c]
		if digit == 0 {
			return -1
		}
		r = r<<4 | rune(digit-1)
	}
	return r
}

// hexDigits holds one more than each digit's value, zero for what is no digit.
var hexDigits = func() (table [256]byte) {
	for i := range byte(10) {
		table['0'+i] = i + 1
	}
	for i := range byte(6) {
		table['a'+i], table['A'+i] = i+11, i+11
	}
	return table
}()

func (s *Scanner) textLength(start, end int, flags uint8) int {
	if flags&ValueEscaped == 0 {
		return end - start
	}
	s.text = appendUnescaped(s.text[:0], s.buf[start:end])
	return len(s.text)
}

// appendUnescaped resolves the escapes of a string the scanner has accepted.
func appendUnescaped(dst, raw []byte) []byte {
	for {
		next := bytes.IndexByte(raw, '\\')
		if next < 0 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:next]...)
		r, size := unescapeRune(raw[next:])
		dst = utf8.AppendRune(dst, r)
		raw = raw[next+size:]
	}
}

// unescapeRune resolves the escape at the start of raw and gives the length it has there.
func unescapeRune(raw []byte) (rune, int) {
	if c := raw[1]; c != 'u' {
		return rune(shortEscapes[c]), 2
	}
	r := hexRune(raw, 2)
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	return utf16.DecodeRune(r, hexRune(raw, 8)), 12
}

var shortEscapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}
