package clickhouse

import (
	"math"
	"time"
)

const (
	day = 24 * 60 * 60
	// Bounds of the server's calendar for DateTime64 and Date32.
	firstSecond = -2208988800 // 1900-01-01T00:00:00Z
	lastSecond  = 10413791999 // 2299-12-31T23:59:59Z
)

var powers = [10]int64{1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// instant gives the number a time is on the wire. Fractions beyond the column's precision are cut, never rounded, so
// that a time cannot move into the next second, day or table partition.
func (c *Column) instant(t time.Time) (int64, bool) {
	seconds := t.Unix()
	switch c.typ.Kind {
	case Date:
		days := floorDiv(seconds, day)
		return days, days >= 0 && days <= math.MaxUint16
	case Date32:
		return floorDiv(seconds, day), seconds >= firstSecond && seconds <= lastSecond
	case DateTime:
		return seconds, seconds >= 0 && seconds <= math.MaxUint32
	case DateTime64:
		return c.instant64(seconds, int64(t.Nanosecond()))
	}
	return 0, false
}

func (c *Column) instant64(seconds, nanos int64) (int64, bool) {
	if seconds < firstSecond || seconds > lastSecond {
		return 0, false
	}
	scale := powers[c.typ.Scale]
	// Nanoseconds reach only to 2262, so the product is checked.
	if seconds > math.MaxInt64/scale-1 || seconds < math.MinInt64/scale+1 {
		return 0, false
	}
	return seconds*scale + nanos/powers[9-c.typ.Scale], true
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// parseUUID reads the 36-character form into the two words ClickHouse stores.
func parseUUID(text []byte) (high, low uint64, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return 0, 0, false
	}
	digits := 0
	for i, ch := range text {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		nibble, hex := hexDigit(ch)
		if !hex {
			return 0, 0, false
		}
		if digits < 16 {
			high = high<<4 | nibble
		} else {
			low = low<<4 | nibble
		}
		digits++
	}
	return high, low, true
}

func hexDigit(ch byte) (uint64, bool) {
	switch {
	case ch >= '0' && ch <= '9':
		return uint64(ch - '0'), true
	case ch >= 'a' && ch <= 'f':
		return uint64(ch-'a') + 10, true
	case ch >= 'A' && ch <= 'F':
		return uint64(ch-'A') + 10, true
	}
	return 0, false
}
