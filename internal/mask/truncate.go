package mask

import (
	"fmt"
	"unicode/utf8"
)

const maxTruncate = 64 << 10

var errText = &Error{"mask.truncate", "text in UTF-8"}

type truncate struct{ runes int }

// Truncate keeps the first runes characters (1 to 65536, counted as Unicode code points) of a text.
func Truncate(runes int) (Transform, error) {
	if runes < 1 || runes > maxTruncate {
		return nil, fmt.Errorf("truncate: the length must be 1 to %d characters", maxTruncate)
	}
	return truncate{runes}, nil
}

func (truncate) Name() string { return "truncate" }

func (truncate) Kinds() Kinds { return String }

func (t truncate) Append(dst, text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return dst, errText
	}
	end := 0
	for n := 0; n < t.runes && end < len(text); n++ {
		_, size := utf8.DecodeRune(text[end:])
		end += size
	}
	return append(dst, text[:end]...), nil
}
