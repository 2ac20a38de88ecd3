package bloblang

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/ebbgate/ebbgate/internal/mask"
)

// exactFloat bounds the whole numbers that a float64 holds without loss.
const exactFloat = 1 << 53

// textOf is the text a transform reads for a value of the mapping language, if the transform takes values of its type.
func textOf(value any, kinds mask.Kinds) ([]byte, bool) {
	switch v := value.(type) {
	case string:
		return []byte(v), kinds.Has("string")
	case []byte:
		return v, kinds.Has("string")
	case time.Time:
		return v.AppendFormat(nil, time.RFC3339Nano), kinds.Has("timestamp")
	}
	text, whole, ok := numberText(value)
	return text, ok && (kinds.Has("number") || whole && kinds.Has("integer"))
}

// numberText writes a number as JSON would; whole tells that it is an integer.
func numberText(value any) (text []byte, whole, ok bool) {
	switch v := value.(type) {
	case int:
		return strconv.AppendInt(nil, int64(v), 10), true, true
	case int64:
		return strconv.AppendInt(nil, v, 10), true, true
	case uint64:
		return strconv.AppendUint(nil, v, 10), true, true
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, false, false
		}
		return strconv.AppendFloat(nil, v, 'f', -1, 64), v == math.Trunc(v) && math.Abs(v) < exactFloat, true
	case json.Number:
		_, err := v.Int64()
		return []byte(v), err == nil, true
	}
	return nil, false, false
}
