package redpanda

import (
	"errors"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/stage"
)

// Headers of a quarantine record beside the lineage, so that the topic can be browsed without opening records.
const (
	headerCode  = "code"
	headerStage = "stage"
)

// inputMetrics are counted per component, made once. Labels come from fixed sets.
type inputMetrics struct {
	chunks       *service.MetricCounter
	records      *service.MetricCounter
	nacks        *service.MetricCounter
	commitErrors *service.MetricCounter
	quarantined  *service.MetricCounter
	lag          *service.MetricGauge
	oldest       *service.MetricGauge
	retention    *service.MetricGauge
}

func newInputMetrics(m *service.Metrics) *inputMetrics {
	return &inputMetrics{
		chunks:       m.NewCounter("ebbgate_input_chunks_total"),
		records:      m.NewCounter("ebbgate_input_records_total"),
		nacks:        m.NewCounter("ebbgate_input_replays_total", "topic", "kind"),
		commitErrors: m.NewCounter("ebbgate_input_commit_errors_total"),
		quarantined:  m.NewCounter("ebbgate_quarantined_total", "stage", "code"),
		lag:          m.NewGauge("ebbgate_input_lag", "topic", "partition"),
		oldest:       m.NewGauge("ebbgate_input_oldest_unread_timestamp_seconds", "topic", "partition"),
		retention:    m.NewGauge("ebbgate_input_retention_seconds", "topic"),
	}
}

func (m *inputMetrics) nacked(topic string, err error) {
	kind := "transient"
	var permanent *stage.PermanentError
	if errors.As(err, &permanent) {
		kind = "permanent"
	}
	m.nacks.Incr(1, topic, kind)
}

type outputMetrics struct {
	records     *service.MetricCounter
	settled     *service.MetricCounter
	refused     *service.MetricCounter
	failed      *service.MetricCounter
	quarantined *service.MetricCounter
}

func newOutputMetrics(m *service.Metrics) *outputMetrics {
	return &outputMetrics{
		records: m.NewCounter("ebbgate_output_records_total"),
		settled: m.NewCounter("ebbgate_output_settled_total"),
		refused: m.NewCounter("ebbgate_output_refused_total", "code"),
		failed:  m.NewCounter("ebbgate_output_failed_batches_total"),

		quarantined: m.NewCounter("ebbgate_quarantined_total", "stage", "code"),
	}
}
