package mask

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxEmail = 254
	maxLocal = 64
	maxLabel = 63
	// minShown is the length a local part needs before its first character is shown.
	minShown = 4
	hidden   = "***"
)

var errEmail = &Error{"mask.email", "one e-mail address and nothing else"}

type maskEmail struct{}

// MaskEmail keeps an address's domain, in lower case, and the first character of a local part of four or more. It refuses
// quoted local parts, address literals, display names, lists and asterisks.
func MaskEmail() Transform { return maskEmail{} }

func (maskEmail) Name() string { return "mask: email" }

func (maskEmail) Kinds() Kinds { return String }

func (maskEmail) Append(dst, text []byte) ([]byte, error) {
	local, domain, ok := splitEmail(text)
	if !ok {
		return dst, errEmail
	}
	if utf8.RuneCount(local) >= minShown {
		_, size := utf8.DecodeRune(local)
		dst = append(dst, local[:size]...)
	}
	dst = append(dst, hidden...)
	dst = append(dst, '@')
	for _, c := range domain {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst, nil
}

// splitEmail cuts an address at its only @. It understands the addresses people have, not all that RFC 5321 allows.
func splitEmail(text []byte) (local, domain []byte, ok bool) {
	at := bytes.IndexByte(text, '@')
	if at < 1 || at > maxLocal || len(text) > maxEmail || !utf8.Valid(text) {
		return nil, nil, false
	}
	local, domain = text[:at], text[at+1:]
	return local, domain, isLocalPart(local) && isDomain(domain)
}

func isLocalPart(local []byte) bool {
	for i := 0; i < len(local); {
		r, size := utf8.DecodeRune(local[i:])
		if !isNameRune(r) && (r >= utf8.RuneSelf || !strings.ContainsRune(".!#$%&'+-/=?^_`{|}~", r)) {
			return false
		}
		i += size
	}
	return true
}

// isDomain wants two labels or more, the last not a number (which would be an IP address).
func isDomain(domain []byte) bool {
	labels, length, digits := 1, 0, true
	for i := 0; i < len(domain); {
		r, size := utf8.DecodeRune(domain[i:])
		i += size
		if r == '.' {
			if length == 0 {
				return false
			}
			labels, length, digits = labels+1, 0, true
			continue
		}
		if !isNameRune(r) && (r != '-' || length == 0) {
			return false
		}
		digits = digits && r >= '0' && r <= '9'
		if length += size; length > maxLabel {
			return false
		}
	}
	return labels >= 2 && length > 0 && !digits
}

func isNameRune(r rune) bool {
	if r < utf8.RuneSelf {
		return isDigit(byte(r)) || isLetter(byte(r))
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}
