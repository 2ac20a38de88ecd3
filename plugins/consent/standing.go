package consent

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
)

// What is known about the consent to an event, as the metric says it.
const (
	standingValid      = "valid"      // somebody spoke, and at least one purpose may be relied on
	standingRefused    = "refused"    // somebody spoke, and no purpose may
	standingMissing    = "missing"    // the sender says nothing, and nothing is recorded
	standingUnrecorded = "unrecorded" // the same, of a source that cannot say anything
	standingUnreadable = "unreadable" // what was said cannot be read
)

// standing tells a sender that forgot consent from a source that is looked up, where nothing is amiss.
func standing(v *consent.Verdict, lookupOnly bool) string {
	switch {
	case v.Unreadable:
		return standingUnreadable
	case v.Missing || v.Held|v.Refused|v.Withdrawn == 0 && !v.Erased: // an empty claim says nothing either
		if lookupOnly {
			return standingUnrecorded
		}
		return standingMissing
	case v.Held == 0:
		return standingRefused
	}
	return standingValid
}

// standings count the events of one batch by source and standing. There are few of both, and neither is an event's own text, so
// a look through all is quicker than a map.
type standings []tally

type tally struct {
	source, standing string
	events           int64
}

func (s *standings) add(source, standing string) {
	for i := range *s {
		if t := &(*s)[i]; t.source == source && t.standing == standing {
			t.events++
			return
		}
	}
	*s = append(*s, tally{source, standing, 1})
}

func (s *standings) report(stage string, judged, missing *service.MetricCounter) {
	for _, t := range *s {
		judged.Incr(t.events, stage, t.source, t.standing)
		if t.standing == standingMissing || t.standing == standingUnrecorded {
			missing.Incr(t.events, stage, t.source)
		}
	}
}
