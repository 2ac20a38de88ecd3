package event

import (
	"strconv"
	"unsafe"
)

// number checks the number that begins at `at` and gives the position behind it, or a negative one. A number that no double
// can hold is refused, because readers disagree on what it is; digits beyond a double's precision are kept as text.
func (s *Scanner) number(at int) (int, uint8) {
	buf, start, flags := s.buf, at, uint8(0)
	if buf[at] == '-' {
		at++
	}
	whole := at
	at = skipDigits(buf, at)
	if at == whole || buf[whole] == '0' && at-whole > 1 {
		return s.fail(CodeNumber, start), 0
	}
	if at < len(buf) && buf[at] == '.' {
		fraction := at + 1
		if at = skipDigits(buf, fraction); at == fraction {
			return s.fail(CodeNumber, start), 0
		}
		flags = Fractional
	}
	exponent := at < len(buf) && buf[at]|0x20 == 'e'
	if exponent {
		digits := at + 1
		if digits < len(buf) && (buf[digits] == '+' || buf[digits] == '-') {
			digits++
		}
		if at = skipDigits(buf, digits); at == digits {
			return s.fail(CodeNumber, start), 0
		}
		flags = Fractional
	}
	if at-start > s.limits.MaxNumber || (exponent || at-start > 300) && !finite(buf[start:at]) {
		return s.fail(CodeNumber, start), 0
	}
	return at, flags
}

func skipDigits(buf []byte, at int) int {
	for at < len(buf) && buf[at]-'0' <= 9 {
		at++
	}
	return at
}

func finite(number []byte) bool {
	_, err := strconv.ParseFloat(aliasString(number), 64)
	return err == nil
}

// aliasString views bytes as a string for the length of one call that does not keep it.
func aliasString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
