package webhook

import "github.com/redpanda-data/benthos/v4/public/service"

type metrics struct {
	receipts, refused, retries, equalBodies, receiptErrors *service.MetricCounter
	durable                                                *service.MetricTimer
}

func newMetrics(m *service.Metrics) *metrics {
	return &metrics{
		receipts:      m.NewCounter("ebbgate_webhook_attempts_total", "source", "verification"),
		refused:       m.NewCounter("ebbgate_webhook_refused_total", "source", "code"),
		retries:       m.NewCounter("ebbgate_webhook_retries_total", "source"),
		equalBodies:   m.NewCounter("ebbgate_webhook_equal_bodies_total", "source"),
		receiptErrors: m.NewCounter("ebbgate_webhook_receipt_errors_total", "source"),
		durable:       m.NewTimer("ebbgate_webhook_durable_seconds", "source"),
	}
}
