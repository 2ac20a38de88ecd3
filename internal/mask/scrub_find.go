package mask

import "bytes"

// Limits of what Scrub looks for.
const (
	minLongNumber = 7
	minCard       = 13
	maxCard       = 19
	maxGap        = 3   // separators in a row inside one number
	maxBrackets   = 64  // length of an address literal or a quoted local part
	lumpDigits    = 128 // of a longer number only the first digits are examined for a card
)

// Classes of bytes in folded text.
const (
	classDigit uint8 = 1 << iota
	classHex
	classWord      // letters and digits of any script
	classLocal     // inside an e-mail address's local part
	classDomain    // inside its domain
	classSeparator // between the digits of one number
	classColon
)

var classes = makeClasses()

func makeClasses() (table [256]uint8) {
	for c := range 128 {
		b := byte(c)
		switch {
		case isDigit(b):
			table[c] = classDigit | classHex | classWord | classLocal | classDomain
		case isLetter(b):
			table[c] = classWord | classLocal | classDomain
			if isHex(b) {
				table[c] |= classHex
			}
		}
	}
	table[':'] = classColon
	table[foldedWord] = classWord | classLocal | classDomain
	for _, c := range []byte(".!#$%&'*+-/=?^_`{|}~") {
		table[c] |= classLocal
	}
	for _, c := range []byte(".-_") {
		table[c] |= classDomain
	}
	for _, c := range []byte(" \t-.()/_+") {
		table[c] |= classSeparator
	}
	return table
}

// atSign is the length of an at sign at plain[i]: "@", or "%40" as in addresses of web pages; else 0.
func atSign(plain []byte, i int) int {
	switch {
	case plain[i] == '@':
		return 1
	case plain[i] == '%' && bytes.HasPrefix(plain[i:], []byte("%40")):
		return len("%40")
	}
	return 0
}

// nextAt finds the next at sign from a position; width is 0 if there is none.
func nextAt(plain []byte, from int) (at, width int) {
	for i := from; i < len(plain); i++ {
		if c := plain[i]; c != '@' && c != '%' {
			continue
		}
		if width = atSign(plain, i); width > 0 {
			return i, width
		}
	}
	return len(plain), 0
}

// emailAround returns the e-mail address around an at sign, looking back no further than floor. Where there is none start
// equals end, and no address begins before end.
func emailAround(plain []byte, floor, at, width int) (start, end int) {
	start = localStart(plain, floor, at)
	if start == at {
		return at, at
	}
	end = at + width
	if n := literalLength(plain[end:]); n > 0 {
		return start, end + n
	}
	last := end // after the last letter or digit, so that a full stop after the address stays
	for end < len(plain) {
		if n := atSign(plain, end); n > 0 {
			end += n
			continue
		}
		if classes[plain[end]]&classDomain == 0 {
			break
		}
		end++
		if classes[plain[end-1]]&classWord != 0 {
			last = end
		}
	}
	if last == at+width {
		return end, end
	}
	return start, last
}

// literalLength is the length of an address in brackets, such as [10.0.0.1], that may follow an at sign; else 0.
func literalLength(s []byte) int {
	if len(s) == 0 || s[0] != '[' {
		return 0
	}
	n := bytes.IndexByte(s[:min(len(s), maxBrackets)], ']')
	if n < 0 || !bytes.ContainsAny(s[:n], ".:") { // without either it is one of our own labels
		return 0
	}
	return n + 1
}

func localStart(plain []byte, floor, at int) int {
	start := at
	if at > floor && plain[at-1] == '"' { // a quoted local part
		low := max(floor, at-maxBrackets)
		if n := bytes.LastIndexByte(plain[low:at-1], '"'); n >= 0 {
			return low + n
		}
		return at - 1
	}
	for start > floor && classes[plain[start-1]]&classLocal != 0 {
		start--
	}
	return start
}

// numberAt looks at plain[i], where no number is under way. It returns how much to step over and, if that must go, its
// label.
func numberAt(plain []byte, from, i int) (length int, label string) {
	c := plain[i]
	if classes[c]&(classColon|classHex) != 0 {
		if i == from || classes[plain[i-1]]&classHex == 0 {
			if n := ipv6Length(plain[i:]); n > 0 {
				return n, labelIP
			}
		}
	}
	if !isDigit(c) {
		return 1, ""
	}
	rest := plain[i:]
	if n := ipv4Length(rest); n > 0 {
		return n, labelIP
	}
	if n := dateLength(rest); n > 0 && (i == from || plain[i-1] != '+') {
		return n, ""
	}
	if n, label := longNumber(rest); n > 0 {
		return n, label
	}
	return countDigits(rest), ""
}

// ipv4Length is the length of the dotted address that s begins with, leading zeros allowed, or 0.
func ipv4Length(s []byte) int {
	i := 0
	for group := range 4 {
		if group > 0 {
			if i >= len(s) || s[i] != '.' {
				return 0
			}
			i++
		}
		n := countDigits(s[i:min(len(s), i+4)])
		if n == 0 || n > 3 || n == 3 && string(s[i:i+3]) > "255" {
			return 0
		}
		i += n
	}
	return i
}

// ipv6Length is the length of the longest IPv6 address that s begins with, or 0. Names of methods such as Foo::bar are
// none; only those that could be read as hexadecimal are taken.
func ipv6Length(s []byte) int {
	i, best, groups, compressed := 0, 0, 0, false
	if bytes.HasPrefix(s, []byte("::")) {
		i, compressed = 2, true
	}
	for groups < 8 {
		n := 0
		for i+n < len(s) && n < 5 && classes[s[i+n]]&classHex != 0 {
			n++
		}
		if n == 0 || n > 4 || endsInWord(s, i+n) {
			return best
		}
		if compressed || groups == 6 {
			if tail := ipv4Length(s[i:]); tail > 0 {
				return i + tail
			}
		}
		i += n
		if groups++; compressed || groups == 8 {
			best = i
		}
		if i >= len(s) || s[i] != ':' {
			return best
		}
		i++
		if !compressed && i < len(s) && s[i] == ':' {
			i, compressed = i+1, true
			if i == len(s) || !isLetter(s[i]) {
				best = i
			}
		}
	}
	return best
}

// endsInWord tells that an ASCII letter or digit follows.
func endsInWord(s []byte, i int) bool { return i < len(s) && (isDigit(s[i]) || isLetter(s[i])) }

// dateLength is 10 if s begins with a date from 1900 to 2099 in ISO form, else 0.
func dateLength(s []byte) int {
	const length = len("2026-04-13")
	if len(s) < length || len(s) > length && isDigit(s[length]) || s[4] != '-' || s[7] != '-' {
		return 0
	}
	if countDigits(s[:4]) != 4 || countDigits(s[5:7]) != 2 || countDigits(s[8:10]) != 2 {
		return 0
	}
	century, month, day := string(s[:2]), string(s[5:7]), string(s[8:10])
	if century != "19" && century != "20" || month < "01" || month > "12" || day < "01" || day > "31" {
		return 0
	}
	return length
}

// longNumber is the length of the number of seven digits or more that s begins with, and its label; 0 if it is shorter. A
// date after a space is not part of it.
func longNumber(s []byte) (length int, label string) {
	var lump [lumpDigits]byte // digits, the first of each group marked with the high bit
	digits, gap := 0, 0
	for i, c := range s {
		if !isDigit(c) {
			if gap++; classes[c]&classSeparator == 0 || gap > maxGap {
				break
			}
			continue
		}
		if gap > 0 && s[i-1] == ' ' && dateLength(s[i:]) > 0 {
			break
		}
		if digits < lumpDigits {
			lump[digits] = c - '0'
			if i == 0 || gap > 0 {
				lump[digits] |= 0x80
			}
		}
		digits, gap, length = digits+1, 0, i+1
	}
	if digits < minLongNumber {
		return 0, ""
	}
	if hasCard(lump[:min(digits, lumpDigits)]) {
		return length, labelCard
	}
	return length, labelPhone
}

// hasCard looks for a valid card number that fills whole groups of the lump.
func hasCard(lump []byte) bool {
	for start := range lump {
		if lump[start]&0x80 == 0 {
			continue
		}
		for end := start + minCard; end <= min(len(lump), start+maxCard); end++ {
			if (end == len(lump) || lump[end]&0x80 != 0) && luhn(lump[start:end]) {
				return true
			}
		}
	}
	return false
}

// luhn checks the check digit of ISO/IEC 7812-1. All zeros pass the sum but are no number.
func luhn(digits []byte) bool {
	sum, nonzero := 0, false
	for i := range digits {
		d := int(digits[len(digits)-1-i] & 0x7f)
		nonzero = nonzero || d != 0
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return nonzero && sum%10 == 0
}
