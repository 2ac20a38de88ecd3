package consent

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
)

// Append appends the record as JSON, purposes in order of name. An unreadable record cannot be written: it gives null.
func (r *Record) Append(dst []byte) []byte {
	if r.Unreadable {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"version":`...)
	dst = strconv.AppendInt(dst, r.Version, 10)
	dst = append(dst, `,"purposes":{`...)
	for i, name := range slices.Sorted(maps.Keys(r.Purposes)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = event.AppendString(dst, []byte(name))
		dst = append(dst, ':')
		dst = strconv.AppendBool(dst, r.Purposes[name])
	}
	dst = append(dst, '}')
	dst = appendText(dst, `,"source":`, r.Source)
	dst = appendTime(dst, `,"changed_at":`, r.ChangedAt)
	dst = appendText(dst, `,"proof":`, r.Proof)
	dst = r.appendStatedAt(dst)
	return append(dst, '}')
}

func (r *Record) appendStatedAt(dst []byte) []byte {
	if len(r.StatedAt) == 0 {
		return dst
	}
	lead := `,"stated_at":{`
	for _, name := range slices.Sorted(maps.Keys(r.StatedAt)) {
		dst = event.AppendString(append(dst, lead...), []byte(name))
		dst = append(append(dst, ':', '"'), r.StatedAt[name].UTC().AppendFormat(nil, time.RFC3339Nano)...)
		dst, lead = append(dst, '"'), ","
	}
	return append(dst, '}')
}

// Append appends the suppression as JSON. An unreadable one cannot be written: it gives null.
func (s *Suppression) Append(dst []byte) []byte {
	if s.Unreadable {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"version":`...)
	dst = strconv.AppendInt(dst, s.Version, 10)
	if s.Channels != nil {
		dst = append(dst, `,"channels":[`...)
		for i, channel := range s.Channels {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = event.AppendString(dst, []byte(channel))
		}
		dst = append(dst, ']')
	}
	dst = appendText(dst, `,"reason":`, s.Reason)
	dst = appendText(dst, `,"source":`, s.Source)
	dst = appendTime(dst, `,"changed_at":`, s.ChangedAt)
	if s.Lifted {
		dst = append(dst, `,"lifted":true`...)
	}
	return append(dst, '}')
}

// Append appends the erasure as JSON. An unreadable one cannot be written: it gives null.
func (e *Erasure) Append(dst []byte) []byte {
	if e.Unreadable {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"epoch":`...)
	dst = strconv.AppendInt(dst, e.Epoch, 10)
	dst = appendText(dst, `,"request_id":`, e.RequestID)
	dst = appendTime(dst, `,"requested_at":`, e.RequestedAt)
	dst = appendText(dst, `,"state":`, e.State)
	return append(dst, '}')
}

func appendText(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(dst, name...)
	return event.AppendString(dst, []byte(text))
}

func appendTime(dst []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	dst = append(append(dst, name...), '"')
	return append(t.UTC().AppendFormat(dst, time.RFC3339Nano), '"')
}
