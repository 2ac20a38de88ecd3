package collector

import "github.com/redpanda-data/benthos/v4/public/service"

type metrics struct {
	events, refused, retries, removed *service.MetricCounter
	durable                           *service.MetricTimer
}

func newMetrics(m *service.Metrics) *metrics {
	return &metrics{
		events:  m.NewCounter("ebbgate_collector_events_total", "source", "outcome"),
		refused: m.NewCounter("ebbgate_collector_refused_total", "source", "code"),
		retries: m.NewCounter("ebbgate_collector_retries_total", "source"),
		removed: m.NewCounter("ebbgate_collector_removed_properties_total", "source"),
		durable: m.NewTimer("ebbgate_collector_durable_seconds", "source"),
	}
}

// unknownSource labels what came before its source was known.
const unknownSource = "unknown"
