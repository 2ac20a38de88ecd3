package consent

import (
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
)

// ParseRecord reads a record of privacy.consent. It needs a version and purposes that are all true or false; other names are free.
// What cannot be understood comes back marked Unreadable, with the version if that much is known, and never as nil.
func ParseRecord(value []byte) *Record {
	r := &Record{Version: -1}
	ok := event.ReadRecord(value, []string{"version", "purposes", "source", "changed_at", "proof", "stated_at"}, func(name string, v event.Value) bool {
		switch name {
		case "version":
			return readCounter(v, &r.Version)
		case "purposes":
			return readPurposes(v, r)
		case "source":
			return readText(v, &r.Source)
		case "changed_at":
			return readTime(v, &r.ChangedAt)
		case "proof":
			return readText(v, &r.Proof)
		case "stated_at":
			return readTimes(v, &r.StatedAt)
		}
		return true
	})
	if !ok || r.Purposes == nil || r.Version < 0 {
		return &Record{Version: max(r.Version, 0), Unreadable: true}
	}
	return r
}

func readPurposes(v event.Value, r *Record) bool {
	if v.Kind() != event.Object {
		return false
	}
	r.Purposes = map[string]bool{}
	ok := true
	v.Each(func(p event.Value) bool {
		r.Purposes[string(p.Key(nil))] = p.Bool()
		ok = p.Kind() == event.True || p.Kind() == event.False
		return ok
	})
	return ok
}

// ParseSuppression reads a record of privacy.suppression. What cannot be understood comes back marked Unreadable, and counts.
func ParseSuppression(value []byte) *Suppression {
	s := &Suppression{Version: -1}
	known := []string{"version", "channels", "reason", "source", "changed_at", "lifted"}
	ok := event.ReadRecord(value, known, func(name string, v event.Value) bool {
		switch name {
		case "version":
			return readCounter(v, &s.Version)
		case "channels":
			return readTexts(v, &s.Channels)
		case "reason":
			return readText(v, &s.Reason)
		case "source":
			return readText(v, &s.Source)
		case "changed_at":
			return readTime(v, &s.ChangedAt)
		case "lifted":
			s.Lifted = v.Bool()
			return v.Kind() == event.True || v.Kind() == event.False
		}
		return true
	})
	if !ok || s.Version < 0 {
		return &Suppression{Version: max(s.Version, 0), Unreadable: true}
	}
	return s
}

// ParseErasure reads a record of privacy.erasures. What cannot be understood comes back marked Unreadable, and erases all the same.
func ParseErasure(value []byte) *Erasure {
	e := &Erasure{Epoch: -1}
	known := []string{"epoch", "request_id", "requested_at", "state"}
	ok := event.ReadRecord(value, known, func(name string, v event.Value) bool {
		switch name {
		case "epoch":
			return readCounter(v, &e.Epoch)
		case "request_id":
			return readText(v, &e.RequestID)
		case "requested_at":
			return readTime(v, &e.RequestedAt)
		case "state":
			return readText(v, &e.State)
		}
		return true
	})
	if !ok || e.Epoch < 0 || (e.State != "fenced" && e.State != "deleted" && e.State != "verified") {
		return &Erasure{Epoch: max(e.Epoch, 0), Unreadable: true}
	}
	return e
}

func readCounter(v event.Value, into *int64) bool {
	n, ok := v.Int64()
	if ok && n >= 0 {
		*into = n
	}
	return ok && n >= 0
}

func readText(v event.Value, into *string) bool {
	*into = v.String()
	return v.Kind() == event.String
}

func readTexts(v event.Value, into *[]string) bool {
	ok := v.Kind() == event.Array
	v.Each(func(element event.Value) bool {
		*into = append(*into, element.String())
		ok = ok && element.Kind() == event.String
		return ok
	})
	return ok
}

func readTimes(v event.Value, into *map[string]time.Time) bool {
	ok := v.Kind() == event.Object
	times := map[string]time.Time{}
	v.Each(func(member event.Value) bool {
		var at time.Time
		ok = ok && readTime(member, &at)
		times[string(member.Key(nil))] = at
		return ok
	})
	*into = times
	return ok
}

func readTime(v event.Value, into *time.Time) bool {
	if v.Kind() != event.String {
		return false
	}
	t, ok := event.ParseTime(v.Text(nil))
	*into = t
	return ok
}
