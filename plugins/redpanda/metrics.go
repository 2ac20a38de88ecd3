package redpanda

import (
	"errors"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
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

// topicOther stands for every topic that topics.yaml does not declare, so that events cannot make up metric labels.
const topicOther = "other"

type outputMetrics struct {
	declared    *topics.Set
	records     *service.MetricCounter
	unwritten   *service.MetricCounter
	settled     *service.MetricCounter
	refused     *service.MetricCounter
	failed      *service.MetricCounter
	quarantined *service.MetricCounter
}

func newOutputMetrics(m *service.Metrics, declared *topics.Set) *outputMetrics {
	return &outputMetrics{
		declared:  declared,
		records:   m.NewCounter("ebbgate_output_records_total", "topic"),
		unwritten: m.NewCounter("ebbgate_output_unwritten_total", "topic"),
		settled:   m.NewCounter("ebbgate_output_settled_total"),
		refused:   m.NewCounter("ebbgate_output_refused_total", "topic", "code"),
		failed:    m.NewCounter("ebbgate_output_failed_batches_total"),

		quarantined: m.NewCounter("ebbgate_quarantined_total", "stage", "code"),
	}
}

// wrote counts a batch that is durable: its records by topic, and the placeholders, which have none.
func (m *outputMetrics) wrote(records []kgo.Record) {
	var counts topicCounts
	var settled int64
	for i := range records {
		if records[i].Topic == "" {
			settled++
		} else {
			counts.add(records[i].Topic)
		}
	}
	m.settled.Incr(settled)
	for _, of := range counts {
		m.records.Incr(of.n, of.topic)
	}
}

// left counts records that the broker did not take this time, by topic.
func (m *outputMetrics) left(records []kgo.Record, failures []failure) {
	var counts topicCounts
	for _, f := range failures {
		counts.add(records[f.at].Topic)
	}
	for _, of := range counts {
		m.unwritten.Incr(of.n, of.topic)
	}
}

// topicCounts are the records of one batch by topic. There are a handful, so a list is faster than a map.
type topicCounts []topicCount

type topicCount struct {
	topic string
	n     int64
}

func (c *topicCounts) add(topic string) {
	for i := range *c {
		if (*c)[i].topic == topic {
			(*c)[i].n++
			return
		}
	}
	*c = append(*c, topicCount{topic, 1})
}

// refuse counts messages that can never be written, by the topic they were for.
func (m *outputMetrics) refuse(code string, batch service.MessageBatch, at []int, topic fieldReader) {
	var counts topicCounts
	for _, i := range at {
		name, _ := topic.read(i, batch[i])
		if _, known := m.declared.Topic(name); !known {
			name = topicOther
		}
		counts.add(name)
	}
	for _, of := range counts {
		m.refused.Incr(of.n, of.topic, code)
	}
}
