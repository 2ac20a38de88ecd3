package staging

import (
	"bytes"
	"math"
	"math/big"
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/staging"
)

// value converts what the event has at the column's path. Nothing that PostgreSQL, Stitch or a destination would refuse or
// change gets through: one such value would hold up every row behind it.
func (f *facts) value(c *staging.Column) (any, *event.Fault) {
	v, ok := f.values[c.Path]
	if !ok || v.Kind() == event.Null || withheld(f.r.gone, c.Path) {
		if c.Required && !withheld(f.r.gone, c.Path) {
			return nil, &event.Fault{Code: codeRequired, Path: c.Path, Remedy: "staging.yaml says that column " + c.Name + " is required, and the event has no value for it: send one, or drop required"}
		}
		return nil, nil
	}
	if value, fits := convert(c.Type, v); fits {
		return value, nil
	}
	return nil, &event.Fault{Code: codeType, Path: c.Path, Remedy: "the value does not fit column " + c.Name + " " + string(c.Type) + " of staging.yaml: change the contract or the column, then replay the event"}
}

func convert(t staging.Type, v event.Value) (any, bool) {
	container := v.Kind() == event.Object || v.Kind() == event.Array
	switch t {
	case staging.JSON:
		return readable(v.Raw())
	case staging.Text:
		if container {
			return nil, false
		}
		return readable(v.Text(nil))
	case staging.Boolean:
		return v.Bool(), v.Kind() == event.True || v.Kind() == event.False
	case staging.BigInt:
		n, ok := v.Int64()
		return n, ok && v.Kind() == event.Number
	case staging.Integer:
		n, ok := v.Int64()
		return int32(n), ok && v.Kind() == event.Number && n >= math.MinInt32 && n <= math.MaxInt32
	case staging.Micros:
		return micros(v)
	}
	return instant(t, v)
}

// readable refuses what no text column holds: NUL, and more than the shortest destination takes.
func readable(text []byte) (any, bool) {
	if len(text) > staging.MaxText || bytes.IndexByte(text, 0) >= 0 {
		return nil, false
	}
	return string(text), true
}

var million = big.NewRat(1_000_000, 1)

// micros is the amount in millionths, rounded half away from zero, without the error of a float.
func micros(v event.Value) (any, bool) {
	if v.Kind() != event.Number || len(v.Raw()) > 40 {
		return nil, false
	}
	if f, ok := v.Float64(); !ok || math.Abs(f) > 9e12 {
		return nil, false
	}
	amount, ok := new(big.Rat).SetString(string(v.Raw()))
	if !ok {
		return nil, false
	}
	amount.Mul(amount, million)
	half := big.NewRat(int64(amount.Sign()), 2)
	amount.Add(amount, half)
	return new(big.Int).Quo(amount.Num(), amount.Denom()).Int64(), true
}

var (
	earliest = time.Unix(0, 0)
	latest   = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

func instant(t staging.Type, v event.Value) (any, bool) {
	at, ok := instantOf(v)
	if t == staging.Date {
		at = at.Truncate(24 * time.Hour)
	}
	return at, ok
}

// instantOf reads a time, or a plain day, that every reader's clock can hold.
func instantOf(v event.Value) (time.Time, bool) {
	if v.Kind() != event.String {
		return time.Time{}, false
	}
	text := v.Text(nil)
	if len(text) == len(time.DateOnly) {
		text = append(bytes.Clone(text), "T00:00:00Z"...)
	}
	at, ok := event.ParseTime(text)
	return at.UTC().Truncate(time.Microsecond), ok && !at.Before(earliest) && at.Before(latest)
}
