package staging

import (
	"errors"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

// metrics count every end a record can have, and what became of rows.
type metrics struct {
	destination string
	records     *service.MetricCounter
	deniedAt    *service.MetricCounter
	settled     *service.MetricCounter
	refused     *service.MetricCounter
	waits       *service.MetricCounter
	rows        *service.MetricCounter
	tombstones  *service.MetricCounter
}

func newMetrics(m *service.Metrics, destination string) *metrics {
	return &metrics{
		destination: destination,
		records:     m.NewCounter("ebbgate_delivered_total", "destination"),
		deniedAt:    m.NewCounter("ebbgate_denied_at_export_total", "destination", "reason"),
		settled:     m.NewCounter("ebbgate_settled_total", "destination"),
		refused:     m.NewCounter("ebbgate_refused_total", "destination", "code"),
		waits:       m.NewCounter("ebbgate_waits_total", "destination", "reason"),
		rows:        m.NewCounter("ebbgate_staging_rows_total", "dataset", "outcome"),
		tombstones:  m.NewCounter("ebbgate_staging_tombstones_total", "reason"),
	}
}

// delivered counts a chunk that is in, the first time.
func (m *metrics) delivered(c *chunk) {
	for i := range c.records {
		if reason := c.records[i].denied; reason != "" {
			m.deniedAt.Incr(1, m.destination, reason)
		} else {
			m.records.Incr(1, m.destination)
		}
	}
	m.settled.Incr(int64(c.settled), m.destination)
}

func (m *metrics) merged(dataset string, written, offered int64) {
	m.rows.Incr(written, dataset, "written")
	m.rows.Incr(offered-written, dataset, "unchanged")
}

func (m *metrics) swept(s *swept) {
	m.tombstones.Incr(s.erased, "erasure")
	m.tombstones.Incr(s.withdrawn, reasonWithdrawn)
	m.tombstones.Incr(s.blanked, "field_withdrawn")
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
		m.waits.Incr(1, m.destination, "staging")
	}
}
