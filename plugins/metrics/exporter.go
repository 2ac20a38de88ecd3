package metrics

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redpanda-data/benthos/v4/public/service"
)

type options struct {
	buckets []float64
	most    int
	process bool
	runtime bool
	log     *service.Logger
}

// exporter is safe for concurrent use. It collects its metrics itself, unchecked, because components of one process may give a
// metric of one name different labels: those of a stream have a path, those of a shared resource have none.
type exporter struct {
	options
	registry *prometheus.Registry

	mu       sync.Mutex
	kinds    map[string]kind                 // by exported name
	families map[string]prometheus.Collector // by exported name and label names
}

func newExporter(opts options) *exporter {
	e := &exporter{
		options:  opts,
		registry: prometheus.NewRegistry(),
		kinds:    map[string]kind{},
		families: map[string]prometheus.Collector{},
	}
	e.registry.MustRegister(e)
	if opts.process {
		e.registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	if opts.runtime {
		e.registry.MustRegister(collectors.NewGoCollector())
	}
	return e
}

// HandlerFunc answers scrapes; the engine serves it at /metrics.
func (e *exporter) HandlerFunc() http.HandlerFunc {
	return promhttp.HandlerFor(e.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, Registry: e.registry}).ServeHTTP
}

// Describe tells nothing, which is how a collector says that its metrics cannot be known beforehand.
func (e *exporter) Describe(chan<- *prometheus.Desc) {}

// Collect sends every series.
func (e *exporter) Collect(ch chan<- prometheus.Metric) {
	e.mu.Lock()
	families := make([]prometheus.Collector, 0, len(e.families))
	for _, f := range e.families {
		families = append(families, f)
	}
	e.mu.Unlock()
	for _, f := range families {
		f.Collect(ch)
	}
}

// Close has nothing to release: what was counted can be scraped until the process ends.
func (e *exporter) Close(context.Context) error { return nil }

// family returns the series of a metric, making them on first use. Where the name is taken by a metric of another kind what is
// counted goes nowhere, as a scrape with both would be refused.
func family[M any](e *exporter, name string, k kind, keys []string, make func(name string, labels []string) vector[M]) *series[M] {
	name, labels := exported(name, k), labelNames(keys)
	e.mu.Lock()
	defer e.mu.Unlock()
	if is, taken := e.kinds[name]; taken && is != k {
		e.log.Errorf("The %s %s is not exported: a %s has the name; give it another", k, name, is)
		return newSeries(name, labels, e.options, make(name, labels))
	}
	e.kinds[name] = k
	id := name + " " + strings.Join(labels, " ")
	if known, ok := e.families[id].(*series[M]); ok {
		return known
	}
	s := newSeries(name, labels, e.options, make(name, labels))
	e.families[id] = s
	return s
}
