package tracing

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/redpanda-data/benthos/v4/public/service"
	"go.opentelemetry.io/otel/trace"
)

const (
	otFieldService  = "service"
	otFieldHTTP     = "http"
	otFieldAddress  = "address"
	otFieldSecure   = "secure"
	otFieldTags     = "tags"
	otFieldSampling = "sampling"
	otFieldEnabled  = "enabled"
	otFieldRatio    = "ratio"
)

func tracerSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Services").
		Version("0.1.0").
		Summary("Sends the spans of events on their way to OpenTelemetry collectors, as OTLP over HTTP (protobuf).").
		Description(`
A span is a hop: `+"`process`"+` from reading a record until it is acknowledged, `+"`send`"+` for each record written, `+"`deliver`"+` for a row.
The `+"`redpanda`"+` output writes the header `+"`traceparent`"+` (W3C Trace Context) on records of traced events and the `+"`redpanda`"+` input goes
on from there, so one trace leads from the door to the row. The header stands beside the seal, which does not cover it.

Whether an event is traced is decided where it enters the pipelines, and every later hop follows. What enters with a
`+"`traceparent`"+` of its sender begins a trace of its own, with a link to the sender's: senders choose neither ids nor what is
sampled. A header that is malformed counts as none.

Spans hold topic, partition, offset, group, destination, attempt, `+"`event_id` and `correlation_id`"+`, and never a value of an event. Of a
failure they hold the code. There are no spans per processor: those of the engine quote errors.

Without an address nothing is traced. Streams never wait for a collector: up to 2048 spans wait for each, and a batch that it does not
take (no answer, or 429, 502, 503 or 504) is sent again with growing pauses for half a minute. What is left then, or comes while
the queue is full, is dropped. Redirects are not followed. Credentials come from the environment or a file, never from YAML.`).
		Fields(tracerFields()...).
		Example("As shipped", "In `pipelines/service.yaml`: off, unless the environment names a collector.", `
tracer:
  open_telemetry_collector:
    service: ebbgate
    http:
      - address: ${OTEL_EXPORTER_OTLP_ENDPOINT:}
        headers_env: OTEL_EXPORTER_OTLP_HEADERS
    sampling:
      enabled: true
      ratio: 0.01
`)
}

func tracerFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringField(otFieldService).Description("The name of the service in traces.").Default("ebbgate"),
		service.NewObjectListField(otFieldHTTP, append([]*service.ConfigField{
			service.NewStringField(otFieldAddress).
				Description("Host and port of a collector, or a URL, to which `/v1/traces` is added where it does not end so. Empty: none.").
				Example("localhost:4318").Example("https://collector.example.com:4318"),
			service.NewBoolField(otFieldSecure).
				Description("Whether to use TLS where the address is no URL.").Default(false),
		}, headerFields()...)...).Description("The collectors; each gets every span. gRPC is not spoken: every collector also takes HTTP.").Default([]any{}),
		service.NewStringMapField(otFieldTags).
			Description("Attributes of the service, on every span.").
			Example(map[string]any{"deployment.environment.name": "production"}).
			Default(map[string]any{}).Advanced(),
		service.NewObjectField(otFieldSampling,
			service.NewBoolField(otFieldEnabled).Description("Whether to trace only a share of the events. Otherwise all are.").Default(false),
			service.NewFloatField(otFieldRatio).
				Description("The share, 0 to 1, of the events that enter here.").
				Default(0.01).LintRule(`root = if this < 0 || this > 1 { "ratio must be from 0 to 1" }`),
		).Description("Which events are traced."),
	}
}

// Register adds the tracer to the environment.
func Register(env *service.Environment) error {
	return env.RegisterOtelTracerProvider("open_telemetry_collector", tracerSpec(), func(conf *service.ParsedConfig) (trace.TracerProvider, error) {
		return fromParsed(conf)
	})
}

func fromParsed(conf *service.ParsedConfig) (trace.TracerProvider, error) {
	cfg := config{share: 1, log: conf.Resources().Logger()}
	var err error
	if cfg.service, err = conf.FieldString(otFieldService); err != nil {
		return nil, err
	}
	if cfg.tags, err = conf.FieldStringMap(otFieldTags); err != nil {
		return nil, err
	}
	sampling := conf.Namespace(otFieldSampling)
	enabled, err := sampling.FieldBool(otFieldEnabled)
	if err != nil {
		return nil, err
	}
	if enabled {
		if cfg.share, err = sampling.FieldFloat(otFieldRatio); err != nil {
			return nil, err
		}
	}
	if !(cfg.share >= 0 && cfg.share <= 1) {
		return nil, errors.New("reading sampling.ratio: it must be from 0 to 1")
	}
	if cfg.collectors, err = parseCollectors(conf); err != nil {
		return nil, err
	}
	return newProvider(cfg), nil
}

func parseCollectors(conf *service.ParsedConfig) (found []collector, err error) {
	list, err := conf.FieldObjectList(otFieldHTTP)
	if err != nil {
		return nil, err
	}
	for _, item := range list {
		address, err := item.FieldString(otFieldAddress)
		if err != nil {
			return nil, err
		}
		if address == "" {
			continue
		}
		secure, err := item.FieldBool(otFieldSecure)
		if err != nil {
			return nil, err
		}
		to, err := endpoint(address, secure)
		if err != nil {
			return nil, err
		}
		headers, err := parseHeaders(item)
		if err != nil {
			return nil, err
		}
		found = append(found, collector{to, headers})
	}
	return found, nil
}

const tracesPath = "/v1/traces"

// endpoint is where spans are posted to.
func endpoint(address string, secure bool) (string, error) {
	if !strings.Contains(address, "://") {
		scheme := "http://"
		if secure {
			scheme = "https://"
		}
		address = scheme + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fmt.Errorf("reading http.address: expected host:port, or a URL that begins with http:// or https://")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	if !strings.HasSuffix(u.Path, tracesPath) {
		u.Path += tracesPath
	}
	return u.String(), nil
}
