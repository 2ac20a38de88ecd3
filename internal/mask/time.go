package mask

import (
	"fmt"
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
)

var errTime = &Error{"mask.time", "a time in RFC 3339 form with seconds and an offset or Z"}

type truncateTime struct{ unit string }

// TruncateTime keeps the hour, day, month or year of a time. The time is first brought to UTC, so that one moment gives
// one result and the writer's UTC offset, which hints at a place, is gone.
func TruncateTime(unit string) (Transform, error) {
	switch unit {
	case "hour", "day", "month", "year":
		return truncateTime{unit}, nil
	}
	return nil, fmt.Errorf("truncate_time: %q is not one of hour, day, month, year", unit)
}

func (truncateTime) Name() string { return "truncate_time" }

func (truncateTime) Kinds() Kinds { return String | Timestamp }

func (t truncateTime) Append(dst, text []byte) ([]byte, error) {
	when, ok := event.ParseTime(text)
	if !ok {
		return dst, errTime
	}
	year, month, day := when.Date()
	if year < 0 || year > 9999 { // the offset moved it out of what RFC 3339 can write
		return dst, errTime
	}
	hour := 0
	switch t.unit {
	case "hour":
		hour = when.Hour()
	case "month":
		day = 1
	case "year":
		month, day = time.January, 1
	}
	return time.Date(year, month, day, hour, 0, 0, 0, time.UTC).AppendFormat(dst, time.RFC3339), nil
}
