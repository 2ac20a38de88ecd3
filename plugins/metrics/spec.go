package metrics

import (
	"errors"
	"slices"

	"github.com/redpanda-data/benthos/v4/public/service"
)

const (
	mpFieldBuckets   = "histogram_buckets"
	mpFieldMaxSeries = "max_series"
	mpFieldProcess   = "add_process_metrics"
	mpFieldGo        = "add_go_metrics"
)

// defaultBuckets reach from an insert into a table nearby to an event that waited over a weekend.
var defaultBuckets = []any{0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0, 259200.0}

func exporterSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Services").
		Version("0.1.0").
		Summary("Serves metrics to Prometheus, at `/metrics` of the process's HTTP address.").
		Description(`
Names follow Prometheus' conventions whatever the component calls its metric: counters end in `+"`_total`"+`, timings are histograms in
seconds and end in `+"`_seconds`"+`. Beside its own labels a metric of a component has `+"`stream`, `label` and `path`"+`, which say where in
which file the component is.

Labels come from closed sets. As a second guard no metric has more than `+"`max_series`"+` series: what comes after has `+"`other`"+` in place
of its own label values, and the log names the metric once.

Alert rules and dashboards are in `+"`pipelines/monitoring`"+`.`).
		Fields(
			service.NewFloatListField(mpFieldBuckets).
				Description("The upper bounds of the histograms' buckets, in seconds, ascending.").
				Default(defaultBuckets).Advanced(),
			service.NewIntField(mpFieldMaxSeries).
				Description("The most series of one metric. Raise it where a process reads more partitions.").
				Default(2000).Advanced().LintRule(`root = if this < 1 { "max_series must be at least 1" }`),
			service.NewBoolField(mpFieldProcess).
				Description("Whether to add the process's CPU time, memory, file descriptors and start time.").
				Default(true).Advanced(),
			service.NewBoolField(mpFieldGo).
				Description("Whether to add memory, collections and goroutines of the Go runtime.").
				Default(true).Advanced(),
		).
		Example("As shipped", "In `pipelines/service.yaml`.", `
metrics:
  prometheus: {}
`)
}

// Register adds the exporter to the environment.
func Register(env *service.Environment) error {
	return env.RegisterMetricsExporter("prometheus", exporterSpec(), func(conf *service.ParsedConfig, log *service.Logger) (service.MetricsExporter, error) {
		return fromParsed(conf, log)
	})
}

func fromParsed(conf *service.ParsedConfig, log *service.Logger) (*exporter, error) {
	opts := options{log: log}
	var err error
	if opts.buckets, err = conf.FieldFloatList(mpFieldBuckets); err != nil {
		return nil, err
	}
	if len(opts.buckets) == 0 || !slices.IsSorted(opts.buckets) || len(slices.Compact(slices.Clone(opts.buckets))) != len(opts.buckets) {
		return nil, errors.New("reading histogram_buckets: give at least one upper bound, in ascending order, each once")
	}
	if opts.most, err = conf.FieldInt(mpFieldMaxSeries); err != nil {
		return nil, err
	}
	if opts.most < 1 {
		return nil, errors.New("reading max_series: it must be at least 1")
	}
	if opts.process, err = conf.FieldBool(mpFieldProcess); err != nil {
		return nil, err
	}
	if opts.runtime, err = conf.FieldBool(mpFieldGo); err != nil {
		return nil, err
	}
	return newExporter(opts), nil
}
