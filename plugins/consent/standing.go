package consent

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
)

// What is known about the consent to an event, as the metric says it.
const (
	standingValid      = "valid"      // somebody spoke, and at least one purpose may be relied on
	standingRefused    = "refused"    // somebody spoke, and no purpose may
	standingMissing    = "missing"    // nobody said anything
	standingUnreadable = "unreadable" // what was said cannot be read
)

func standing(v *consent.Verdict) string {
	switch {
	case v.Unreadable:
		return standingUnreadable
	case v.Missing || v.Held|v.Refused|v.Withdrawn == 0 && !v.Erased: // an empty claim says nothing either
		return standingMissing
	case v.Held == 0:
		return standingRefused
	}
	return standingValid
}

// standings count the events of one batch by source and standing. There are few of both, and neither is an event's own text.
type standings map[[2]string]int64

func (s standings) report(stage string, judged, missing *service.MetricCounter) {
	for of, n := range s {
		judged.Incr(n, stage, of[0], of[1])
		if of[1] == standingMissing {
			missing.Incr(n, of[0])
		}
	}
}
