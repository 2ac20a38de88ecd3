package signature

import (
	"strconv"
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
)

// clock is how a provider writes a time. The zero clock is of providers that write none.
type clock struct {
	parse  func(text []byte) (time.Time, bool)
	format func(at time.Time) string
}

var (
	unix = clock{
		parse: func(text []byte) (time.Time, bool) {
			seconds, ok := decimal(text, 11)
			return time.Unix(seconds, 0).UTC(), ok
		},
		format: func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) },
	}
	unixMilli = clock{
		parse: func(text []byte) (time.Time, bool) {
			ms, ok := decimal(text, 14)
			return time.UnixMilli(ms).UTC(), ok
		},
		format: func(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) },
	}
	rfc3339 = clock{
		parse:  event.ParseTime,
		format: func(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) },
	}
)

// decimal reads digits alone: no sign, no leading zero, no more than fit.
func decimal(text []byte, longest int) (int64, bool) {
	if len(text) == 0 || len(text) > longest || text[0] == '0' {
		return 0, false
	}
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
