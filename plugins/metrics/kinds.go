package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redpanda-data/benthos/v4/public/service"
)

// NewCounterCtor makes a counter.
func (e *exporter) NewCounterCtor(name string, keys ...string) service.MetricsExporterCounterCtor {
	all := family(e, name, counter, keys, func(name string, labels []string) vector[prometheus.Counter] {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help(name)}, labels)
	})
	return func(values ...string) service.MetricsExporterCounter { return count{all.with(values)} }
}

// NewGaugeCtor makes a gauge.
func (e *exporter) NewGaugeCtor(name string, keys ...string) service.MetricsExporterGaugeCtor {
	all := family(e, name, gauge, keys, func(name string, labels []string) vector[prometheus.Gauge] {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help(name)}, labels)
	})
	return func(values ...string) service.MetricsExporterGauge { return level{all.with(values)} }
}

// NewTimerCtor makes a histogram of seconds.
func (e *exporter) NewTimerCtor(name string, keys ...string) service.MetricsExporterTimerCtor {
	all := family(e, name, timer, keys, func(name string, labels []string) vector[prometheus.Observer] {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help(name), Buckets: e.buckets}, labels)
	})
	return func(values ...string) service.MetricsExporterTimer { return timing{all.with(values)} }
}

type count struct{ of prometheus.Counter }

// Incr adds; a counter never goes down, so what is below zero is no count.
func (c count) Incr(n int64) { c.IncrFloat64(float64(n)) }

func (c count) IncrFloat64(n float64) {
	if n > 0 {
		c.of.Add(n)
	}
}

type level struct{ of prometheus.Gauge }

func (l level) Set(n int64)          { l.of.Set(float64(n)) }
func (l level) SetFloat64(n float64) { l.of.Set(n) }

type timing struct{ of prometheus.Observer }

// Timing takes nanoseconds, as all of the engine does.
func (t timing) Timing(ns int64) { t.of.Observe(time.Duration(ns).Seconds()) }
