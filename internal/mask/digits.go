package mask

import "bytes"

// Limits of the numbers that MaskPhone and LastFour understand.
const (
	minPhone      = 7  // digits with a country code or without
	maxPhone      = 15 // E.164
	minSubscriber = 6  // digits after a country code
	shownOfPhone  = 2
	minNumber     = 8 // characters of a number that LastFour shows four of
	maxNumber     = 34
	shownOfNumber = 4
)

var (
	errPhone    = &Error{"mask.phone", "one phone number of 7 to 15 digits and nothing else"}
	errLastFour = &Error{"mask.last_four", "a number of 8 to 34 letters and digits that ends in four digits"}
)

type maskPhone struct{}

// MaskPhone keeps the country code of an international number (written with + or 00) and the last two digits. It accepts
// spaces, hyphens, dots, slashes and brackets between digits, and nothing else.
func MaskPhone() Transform { return maskPhone{} }

func (maskPhone) Name() string { return "mask: phone" }

func (maskPhone) Kinds() Kinds { return String | Integer }

func (maskPhone) Append(dst, text []byte) ([]byte, error) {
	rest, international := bytes.CutPrefix(text, []byte("+"))
	var room [maxPhone + 2]byte
	digits := collect(room[:0], rest, " -./()\u00a0")
	if !international && bytes.HasPrefix(digits, []byte("00")) {
		digits, international = digits[2:], true
	}
	if len(digits) < minPhone || len(digits) > maxPhone {
		return dst, errPhone
	}
	if international {
		code := countryCode(digits)
		if digits[0] == '0' || len(digits)-code < minSubscriber {
			return dst, errPhone
		}
		dst = append(append(dst, '+'), digits[:code]...)
	}
	dst = append(dst, hidden...)
	return append(dst, digits[len(digits)-shownOfPhone:]...), nil
}

// collect returns the digits of text, or nil if there is anything but digits and separators, or more than dst has room
// for.
func collect(dst, text []byte, separators string) []byte {
	for len(text) > 0 {
		if isDigit(text[0]) {
			if len(dst) == cap(dst) {
				return nil
			}
			dst, text = append(dst, text[0]), text[1:]
			continue
		}
		rest, ok := cutSeparator(text, separators)
		if !ok {
			return nil
		}
		text = rest
	}
	return dst
}

func cutSeparator(text []byte, separators string) ([]byte, bool) {
	for _, separator := range separators {
		if rest, ok := bytes.CutPrefix(text, []byte(string(separator))); ok {
			return rest, true
		}
	}
	return text, false
}

// countryCode is the length of the country code that digits begin with, by the zones of ITU-T E.164.
func countryCode(digits []byte) int {
	switch digits[0] {
	case '1', '7':
		return 1
	}
	switch string(digits[:2]) {
	case "20", "27", "28", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
		"51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "83", "84", "86",
		"89", "90", "91", "92", "93", "94", "95", "98":
		return 2
	}
	return 3
}

type lastFour struct{}

// LastFour keeps the last four digits of a card, account or similar number of eight or more letters and digits, which may
// be written with spaces and hyphens.
func LastFour() Transform { return lastFour{} }

func (lastFour) Name() string { return "mask: last_four" }

func (lastFour) Kinds() Kinds { return String | Integer }

func (lastFour) Append(dst, text []byte) ([]byte, error) {
	var last [shownOfNumber]byte
	count, digits := 0, 0
	for _, c := range text {
		if c == ' ' || c == '-' {
			continue
		}
		if !isDigit(c) && !isLetter(c) {
			return dst, errLastFour
		}
		if digits++; !isDigit(c) {
			digits = 0
		}
		last[count%shownOfNumber] = c
		count++
	}
	if count < minNumber || count > maxNumber || digits < shownOfNumber {
		return dst, errLastFour
	}
	dst = append(dst, "****"...)
	for i := range shownOfNumber {
		dst = append(dst, last[(count+i)%shownOfNumber])
	}
	return dst, nil
}
