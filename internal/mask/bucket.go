package mask

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"strconv"
)

const maxBounds = 64

var errBucket = &Error{"mask.bucket", "a JSON number"}

type bucket struct {
	bounds []float64
	labels []string // one more than bounds
}

// Bucket replaces a number by the range it is in. Bounds ascend, and each begins a range: 10 and 50 give "<10", "10-50"
// and ">=50". Where a bound of a range is negative, the label reads "-5 to 5". Numbers are compared as float64.
func Bucket(bounds []float64) (Transform, error) {
	if len(bounds) == 0 || len(bounds) > maxBounds {
		return nil, fmt.Errorf("bucket: expected 1 to %d bounds", maxBounds)
	}
	for i, bound := range bounds {
		if math.IsNaN(bound) || math.IsInf(bound, 0) || i > 0 && bound <= bounds[i-1] {
			return nil, errors.New("bucket: the bounds must be finite numbers in ascending order")
		}
	}
	b := &bucket{bounds: append([]float64(nil), bounds...)}
	b.labels = append(b.labels, "<"+formatBound(bounds[0]))
	for i := range bounds[1:] {
		joint := "-"
		if bounds[i] < 0 {
			joint = " to "
		}
		b.labels = append(b.labels, formatBound(bounds[i])+joint+formatBound(bounds[i+1]))
	}
	b.labels = append(b.labels, ">="+formatBound(bounds[len(bounds)-1]))
	return b, nil
}

func formatBound(bound float64) string { return strconv.FormatFloat(bound+0, 'f', -1, 64) }

func (*bucket) Name() string { return "bucket" }

func (*bucket) Kinds() Kinds { return Integer | Number }

func (b *bucket) Append(dst, text []byte) ([]byte, error) {
	if !isNumber(text) {
		return dst, errBucket
	}
	value, err := strconv.ParseFloat(view(text), 64)
	if err != nil {
		return dst, errBucket
	}
	above := sort.Search(len(b.bounds), func(i int) bool { return value < b.bounds[i] })
	return append(dst, b.labels[above]...), nil
}

// isNumber holds text to JSON's grammar; ParseFloat alone also takes hexadecimal, infinities and underscores.
func isNumber(text []byte) bool {
	i := 0
	if i < len(text) && text[i] == '-' {
		i++
	}
	whole := countDigits(text[i:])
	if whole == 0 || whole > 1 && text[i] == '0' {
		return false
	}
	i += whole
	if i < len(text) && text[i] == '.' {
		fraction := countDigits(text[i+1:])
		if fraction == 0 {
			return false
		}
		i += 1 + fraction
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		exponent := countDigits(text[i:])
		if exponent == 0 {
			return false
		}
		i += exponent
	}
	return i == len(text)
}

func countDigits(text []byte) int {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n
}
