package consent

import (
	"strconv"
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
)

// AppendStamped appends the event, re-encoded, with the verdict as its claim in place of its own. That is how the recorded
// state travels with the event of a source that cannot carry consent.
func AppendStamped(dst []byte, ix *event.Index, v *Verdict) []byte {
	dst = append(dst, `{"consent":`...)
	dst = v.appendClaim(dst)
	ix.Root().Each(func(member event.Value) bool {
		if member.Field() == event.Consent {
			return true
		}
		dst = append(dst, ',')
		dst = event.AppendString(dst, member.Key(nil))
		dst = append(dst, ':')
		dst = event.AppendValue(dst, member)
		return true
	})
	return append(dst, '}')
}

// appendClaim writes the verdict as a claim: what is held and what is withdrawn, by whom, as of when. What nobody stated
// stays absent.
func (v *Verdict) appendClaim(dst []byte) []byte {
	dst = append(dst, '{')
	for i, name := range v.Purposes.names {
		switch bit := Mask(1) << i; {
		case v.Held.Has(bit):
			dst = append(event.AppendString(dst, []byte(name)), ":true,"...)
		case v.Withdrawn.Has(bit):
			dst = append(event.AppendString(dst, []byte(name)), ":false,"...)
		}
	}
	dst = event.AppendString(append(dst, `"source":`...), []byte(v.Source))
	dst = append(dst, `,"version":"`...)
	dst = strconv.AppendInt(dst, v.Version, 10)
	dst = append(dst, `","checked_at":"`...)
	dst = v.CheckedAt.AppendFormat(dst, time.RFC3339Nano)
	return append(dst, `"}`...)
}
