package trace

import (
	"slices"

	"github.com/ebbgate/ebbgate/internal/explain"
)

// codeConflict is what repeats quarantines an event as that came under the id of another.
const codeConflict = "event.id_conflict"

// contested says what the quarantine of an event under the id of another means: nothing for the event that was there before
// it. Where nothing is found of that one, the event in quarantine is the one that the id names.
func (e *Event) contested() {
	for _, step := range e.conflicts {
		if e.isAnother(step.Came) {
			step.Outcome, step.Destination = Conflict, ""
		} else {
			e.outcome(explain.Outcome{At: step.At, Destination: step.Destination, Fault: &explain.Fault{Stage: step.Stage, Code: step.Reason, Path: step.Path}})
		}
		e.Steps = append(e.Steps, step)
	}
}

// isAnother tells whether an event was found under the id besides the one that the conflict is about.
func (e *Event) isAnother(conflict *Position) bool {
	return slices.ContainsFunc(e.Steps, func(s Step) bool {
		switch s.Outcome {
		case Received, Settled:
			return false
		case Accepted:
			return *s.Position != *conflict && !slices.ContainsFunc(e.conflicts, func(c Step) bool { return *c.Came == *s.Position })
		default:
			return true
		}
	})
}
