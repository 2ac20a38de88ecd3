package tracing

import (
	"context"
	"net/http"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/ebbgate/ebbgate/internal/hop"
)

// config is what the tracer was told, checked.
type config struct {
	service    string
	tags       map[string]string
	collectors []collector
	share      float64
	log        *service.Logger
}

// collector is where spans are posted to, and the headers that let us in.
type collector struct {
	url     string
	headers http.Header
}

const (
	// queue is how many spans wait for a collector; what comes while it is full is dropped. A span is about 1 KB.
	queue = 2048
	// lastWords bounds how long a process that ends waits for its collectors.
	lastWords = 5 * time.Second
)

// provider makes tracers of hops, and of nothing else.
type provider struct {
	embedded.TracerProvider
	sdk *sdktrace.TracerProvider
}

func newProvider(cfg config) trace.TracerProvider {
	if len(cfg.collectors) == 0 {
		return noop.NewTracerProvider()
	}
	attributes := []attribute.KeyValue{attribute.String("service.name", cfg.service)}
	for name, value := range cfg.tags {
		attributes = append(attributes, attribute.String(name, value))
	}
	opts := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(resource.NewSchemaless(attributes...)),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.share))),
	}
	for _, to := range cfg.collectors {
		opts = append(opts, sdktrace.WithBatcher(otlptrace.NewUnstarted(newClient(to, cfg.log)),
			sdktrace.WithMaxQueueSize(queue), sdktrace.WithExportTimeout(exportTimeout)))
	}
	return &provider{sdk: sdktrace.NewTracerProvider(opts...)}
}

// Tracer makes the spans of hops. Those of any other scope go nowhere.
func (p *provider) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	if name != hop.Scope {
		return noop.NewTracerProvider().Tracer(name)
	}
	return p.sdk.Tracer(name, opts...)
}

// Shutdown sends what is left. The engine calls it once streams have ended.
func (p *provider) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	return p.sdk.Shutdown(ctx)
}
