package mask

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// What folding writes for characters that have no ASCII form.
const (
	foldedWord  = 0x80 // a letter, number or symbol that can be part of a word
	foldedBreak = 0x81 // punctuation: it ends whatever is under way
	dropped     = 0x00 // marks and invisible characters: they must not hide what is around them
)

// folded is text as Scrub reads it: ASCII, with the position each byte came from. Text of printable ASCII is its own
// folded form.
type folded struct {
	same   bool
	bytes  []byte
	starts []uint32 // of bytes' characters in the text, and the text's length
}

func (f *folded) fold(text []byte) []byte {
	if f.same = isPrintable(text); f.same {
		return text
	}
	f.bytes, f.starts = f.bytes[:0], f.starts[:0]
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			f.add(foldRune(rune(c)), i)
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if decomposed := norm.NFKC.Properties(text[i:]).Decomposition(); len(decomposed) > 0 {
			for _, part := range view(decomposed) {
				f.add(foldRune(part), i)
			}
		} else {
			f.add(foldRune(r), i)
		}
		i += size
	}
	f.starts = append(f.starts, uint32(len(text)))
	return f.bytes
}

func (f *folded) add(c byte, start int) {
	if c == dropped {
		return
	}
	f.bytes = append(f.bytes, c)
	f.starts = append(f.starts, uint32(start))
}

// span translates a span of folded text, start < end, to the whole characters of the text it came from.
func (f *folded) span(start, end int) (textStart, textEnd int) {
	if f.same {
		return start, end
	}
	for end < len(f.bytes) && f.starts[end] == f.starts[end-1] {
		end++
	}
	return int(f.starts[start]), int(f.starts[end])
}

func isPrintable(text []byte) bool {
	for _, c := range text {
		if c >= 0x7f || c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}

func foldRune(r rune) byte {
	switch {
	case r == '\t', r == '\n', r == '\r', r >= ' ' && r < 0x7f:
		return byte(r)
	case unicode.IsControl(r):
		return dropped
	case unicode.Is(unicode.Nd, r):
		return '0' + digitValue(r)
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf), isBlankLetter(r):
		return dropped
	case unicode.Is(unicode.Zs, r):
		return ' '
	case unicode.Is(unicode.Pd, r), r == '\u2212':
		return '-'
	case r == '\u3002', r == '\u00b7', r == '\u2022', r == '\u2027', r == '\u30fb': // full stops and dots in the middle
		return '.'
	case r == '\u2044', r == '\u2215':
		return '/'
	case unicode.In(r, unicode.L, unicode.Mc, unicode.N):
		return foldedWord
	}
	return foldedBreak
}

// isBlankLetter tells characters that are letters or symbols by category but show nothing.
func isBlankLetter(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800':
		return true
	}
	return false
}

// digitValue is the value of a decimal digit of any script: Unicode lays each script's ten out in order.
func digitValue(r rune) byte {
	for _, span := range unicode.Nd.R16 {
		if r >= rune(span.Lo) && r <= rune(span.Hi) {
			return byte((r - rune(span.Lo)) % 10)
		}
	}
	for _, span := range unicode.Nd.R32 {
		if r >= rune(span.Lo) && r <= rune(span.Hi) {
			return byte((r - rune(span.Lo)) % 10)
		}
	}
	return 0
}
