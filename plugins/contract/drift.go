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

// sightings are the undeclared properties of one batch, by event and classification.
type sightings map[[2]string]int64

// note takes what Check found undeclared, whether it is removed or quarantines the event.
func (d *drift) note(seen sightings, eventName string, ix *event.Index, res *contract.Result) {
	for _, at := range res.Remove {
		seen[[2]string{eventName, d.classes[ix.Nodes[at].Field]}]++
	}
	for i := range res.Faults {
		if f := &res.Faults[i]; f.Code == contract.CodeUndeclared {
			seen[[2]string{eventName, d.classes[d.dict.Field(f.Path)]}]++
		}
	}
}

func (d *drift) report(seen sightings) {
	for of, n := range seen {
		d.seen.Incr(n, of[0], of[1])
	}
}
