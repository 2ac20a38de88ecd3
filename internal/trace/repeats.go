package trace

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/repeats"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// sight is a record of an event on a topic that the repeats processor reads.
type sight struct {
	at      Position
	when    time.Time
	content [sha256.Size]byte
}

// sighted keeps what tells whether a record repeats another. One that is sent through again on purpose never does.
func (e *Event) sighted(rec *kgo.Record) {
	if header(rec, stage.MetaReplayID) != "" {
		return
	}
	content := []byte(header(rec, stage.MetaContentDigest))
	if len(content) == 0 {
		content = rec.Value
	}
	e.sights = append(e.sights, sight{*positionOf(rec), rec.Timestamp.UTC(), sha256.Sum256(content)})
}

// takenOut adds a step for each record that validate took out as a repeat. That it does is a function of the log and is written nowhere;
// a record that was judged all the same, by a stream without the processor, leaves its traces.
func (e *Event) takenOut() {
	slices.SortFunc(e.sights, func(a, b sight) int {
		return cmp.Or(cmp.Compare(a.at.Topic, b.at.Topic), cmp.Compare(a.at.Partition, b.at.Partition), cmp.Compare(a.at.Offset, b.at.Offset))
	})
	var taken []Step
	for i := 1; i < len(e.sights); i++ {
		before, s := &e.sights[i-1], &e.sights[i]
		near := before.at.Topic == s.at.Topic && before.at.Partition == s.at.Partition && s.at.Offset-before.at.Offset <= repeats.DefaultWindow
		if near && before.content == s.content {
			taken = append(taken, Step{At: s.when, Stage: "validate", Outcome: Duplicate, Position: &s.at})
		}
	}
	judged := 0
	for i := range e.Steps {
		if e.Steps[i].Stage == "validate" {
			judged++
		}
	}
	if judged+len(taken) <= len(e.sights) {
		e.Steps = append(e.Steps, taken...)
	}
}
