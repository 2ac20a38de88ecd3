package hop

import (
	"fmt"
	"math"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
)

const fieldLogSample = "log_sample"

// LogField is the configuration field that says which share of the events is logged.
func LogField() *service.ConfigField {
	return service.NewFloatField(fieldLogSample).
		Description("The share of events, 0 to 1, of which one line is logged when they are written: `event_id`, `correlation_id`, where to, and the attempt; never a value. The event's id decides, so where the share is the same, the same events are logged at every hop.").
		Default(0.001).Advanced().
		LintRule(`root = if this < 0 || this > 1 { "log_sample must be from 0 to 1" }`)
}

// Log writes one line per sampled event and hop. A nil one is off.
type Log struct {
	log   *service.Logger
	below uint64 // of the ids' hashes
}

// ParseLog reads the field.
func ParseLog(conf *service.ParsedConfig, log *service.Logger) (*Log, error) {
	share, err := conf.FieldFloat(fieldLogSample)
	if err != nil {
		return nil, err
	}
	if !(share >= 0 && share <= 1) {
		return nil, fmt.Errorf("reading %s: it must be from 0 to 1", fieldLogSample)
	}
	return NewLog(share, log), nil
}

// NewLog logs a share of the events.
func NewLog(share float64, log *service.Logger) *Log {
	switch {
	case share <= 0:
		return nil
	case share >= 1:
		return &Log{log, math.MaxUint64}
	}
	return &Log{log, uint64(share * (1 << 63) * 2)} // below 1 it is below 2^64
}

// Sampled reports whether the event is one of those. An id that is none of ours is not: it could say anything.
func Sampled[T string | []byte](l *Log, eventID T) bool {
	return l != nil && hash(eventID) <= l.below && event.ValidID([]byte(eventID))
}

// Line is one hop of one event.
type Line struct {
	EventID, CorrelationID string
	Topic                  string // written to, or delivered from
	Partition              int32
	Offset                 int64
	Destination            string // empty on a topic of no destination
	Outcome                string
	Attempt                int
}

// Write logs a line.
func (l *Log) Write(line Line) {
	fields := []any{"event_id", line.EventID}
	if event.ValidID([]byte(line.CorrelationID)) {
		fields = append(fields, "correlation_id", line.CorrelationID)
	}
	fields = append(fields, "topic", line.Topic, "partition", line.Partition, "offset", line.Offset)
	if line.Destination != "" {
		fields = append(fields, "destination", line.Destination)
	}
	l.log.With(append(fields, "outcome", line.Outcome, "attempt", line.Attempt)...).Info("hop")
}

// hash is FNV-1a with a finish that spreads it over all bits. It is the same in every process.
func hash[T string | []byte](text T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
