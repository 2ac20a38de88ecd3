package identity

import (
	"strconv"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
)

// Pair is two linked pseudonyms, in order of their text: the same pair whichever end was seen first.
type Pair struct{ A, B string }

// MakePair puts two pseudonyms in order. A pseudonym cannot be linked to itself, nor to nothing: ok is false then.
func MakePair(one, other string) (p Pair, ok bool) {
	if one > other {
		one, other = other, one
	}
	return Pair{one, other}, one != "" && one != other
}

// Key is the record key of the pair. Each pair has one of its own, so that a device on which two people signed in stays
// linked to both, and writers need not know of each other.
func (p Pair) Key() string { return p.A + "," + p.B }

// ParseKey reads a record key.
func ParseKey(key string) (Pair, bool) {
	a, b, _ := strings.Cut(key, ",")
	p, ok := MakePair(a, b)
	return p, ok && p.A == a && !strings.Contains(b, ",")
}

// Link is what a record says of a pair. The later of two versions counts; a version is the time of the change in
// milliseconds, so the order of arrival does not matter and a retry writes the same record.
type Link struct {
	Version   int64
	Removed   bool // an operator took the link back
	Source    string
	ChangedAt time.Time
}

// At is a link, or its removal, as of a time.
func At(when time.Time, source string) Link {
	return Link{Version: max(when.UnixMilli(), 0), Source: source, ChangedAt: when}
}

// Append appends the record as JSON.
func (l *Link) Append(dst []byte) []byte {
	dst = append(dst, `{"version":`...)
	dst = strconv.AppendInt(dst, l.Version, 10)
	if l.Removed {
		dst = append(dst, `,"removed":true`...)
	}
	dst = event.AppendString(append(dst, `,"source":`...), []byte(l.Source))
	dst = append(dst, `,"changed_at":"`...)
	dst = l.ChangedAt.UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, `"}`...)
}

// ParseLink reads a record. ok is false for what is no link.
func ParseLink(value []byte) (l Link, ok bool) {
	l.Version = -1
	ok = event.ReadRecord(value, []string{"version", "removed", "source", "changed_at"}, func(name string, v event.Value) (ok bool) {
		switch name {
		case "version":
			l.Version, ok = v.Int64()
		case "removed":
			l.Removed, ok = v.Bool(), v.Kind() == event.True || v.Kind() == event.False
		case "source":
			l.Source, ok = v.String(), v.Kind() == event.String
		case "changed_at":
			l.ChangedAt, ok = event.ParseTime(v.Text(nil))
		default:
			ok = true
		}
		return ok
	})
	return l, ok && l.Version >= 0
}
