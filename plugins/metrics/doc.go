// Package metrics is the prometheus metrics exporter, which the engine's core does not ship.
//
// Guarantee: what components count can be scraped under names that follow Prometheus' conventions (counters end in _total,
// timings are histograms in seconds and end in _seconds), and one metric never has more than max_series series. Label values
// beyond that are counted under "other", so a label that an event could reach cannot exhaust memory here or in Prometheus.
//
// Failure: a metric whose name is taken by one of another kind is not exported, and the log says so once. Nothing an exporter does
// stops a stream.
package metrics
