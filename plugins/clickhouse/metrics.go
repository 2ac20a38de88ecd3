package clickhouse

import (
	"errors"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

// metrics count every end a record can have, by destination.
type metrics struct {
	destination string
	rows        *service.MetricCounter
	deniedAt    *service.MetricCounter
	repeats     *service.MetricCounter
	settled     *service.MetricCounter
	refused     *service.MetricCounter
	waits       *service.MetricCounter
	insert      *service.MetricTimer
	timings     *timings
}

func newMetrics(m *service.Metrics, destination string) *metrics {
	return &metrics{
		destination: destination,
		rows:        m.NewCounter("ebbgate_delivered_total", "destination"),
		deniedAt:    m.NewCounter("ebbgate_denied_at_export_total", "destination", "reason"),
		repeats:     m.NewCounter("ebbgate_repeated_total", "destination"),
		settled:     m.NewCounter("ebbgate_settled_total", "destination"),
		refused:     m.NewCounter("ebbgate_refused_total", "destination", "code"),
		waits:       m.NewCounter("ebbgate_waits_total", "destination", "reason"),
		insert:      m.NewTimer("ebbgate_clickhouse_insert_ns", "destination"),
		timings:     newTimings(m, destination),
	}
}

// delivered counts a chunk that is in.
func (m *metrics) delivered(c *chunk) {
	m.rows.Incr(int64(c.count(wanted)+c.count(present)), m.destination)
	m.repeats.Incr(int64(c.count(repeated)), m.destination)
	m.settled.Incr(int64(c.settled), m.destination)
	m.timings.delivered(c.acted, time.Now())
	for i := range c.records {
		if r := &c.records[i]; r.fate == denied {
			m.deniedAt.Incr(1, m.destination, r.reason)
		}
	}
}

// failed counts why a chunk has to come again.
func (m *metrics) failed(err error) {
	permanent, ok := errors.AsType[*stage.PermanentError](err)
	switch {
	case err == nil:
	case ok:
		m.refused.Incr(int64(len(permanent.Refs)), m.destination, permanent.Code)
	case errors.Is(err, state.ErrUnavailable):
		m.waits.Incr(1, m.destination, "consent")
	default:
		m.waits.Incr(1, m.destination, "clickhouse")
	}
}
