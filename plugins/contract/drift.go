package contract

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// unknownClass is the classification of a property that no contract has at that place.
const unknownClass = "unknown"

// drift tells how close to a person the properties are that nobody declared for their event: as close as the same place is in
// the contracts of other events.
type drift struct {
	dict    *event.Dictionary
	classes []string // by field
	seen    *service.MetricCounter
}

func driftCounter(m *service.Metrics) *service.MetricCounter {
	return m.NewCounter("ebbgate_schema_drift_total", "event", "classification")
}

func newDrift(ws *workspace.Workspace, seen *service.MetricCounter) *drift {
	d := &drift{dict: ws.Dict, classes: make([]string, ws.Dict.Len()), seen: seen}
	for f := range d.classes {
		d.classes[f] = classOf(ws.Contracts, ws.Dict.Path(event.Field(f)))
	}
	return d
}

// classOf is the strictest classification any contract gives the place.
func classOf(contracts *contract.Set, path string) string {
	var strictest contract.Classification
	for _, p := range append(contracts.Leaf(path), contracts.Leaf(path+"[]")...) {
		strictest = max(strictest, p.Classification)
	}
	if strictest == 0 {
		return unknownClass
	}
	return strictest.String()
}

// sightings count the undeclared properties of one batch by event and classification. There are few of both, so a look through
// all is quicker than a map.
type sightings []sighting

type sighting struct {
	event, class string
	properties   int64
}

func (s *sightings) add(event, class string) {
	for i := range *s {
		if one := &(*s)[i]; one.event == event && one.class == class {
			one.properties++
			return
		}
	}
	*s = append(*s, sighting{event, class, 1})
}

// note takes what Check found undeclared, whether it is removed or quarantines the event.
func (d *drift) note(seen *sightings, eventName string, ix *event.Index, res *contract.Result) {
	for _, at := range res.Remove {
		seen.add(eventName, d.classes[ix.Nodes[at].Field])
	}
	for i := range res.Faults {
		if f := &res.Faults[i]; f.Code == contract.CodeUndeclared {
			seen.add(eventName, d.classes[d.dict.Field(f.Path)])
		}
	}
}

func (d *drift) report(seen *sightings) {
	for _, one := range *seen {
		d.seen.Incr(one.properties, one.event, one.class)
	}
}
