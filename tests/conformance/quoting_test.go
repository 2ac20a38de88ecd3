package conformance

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/plugins/all"
)

// failing are configurations of every stock processor that reads events, with an event each fails on.
var failing = map[string]struct{ processor, event string }{
	"mapping":         {`mapping: root = this.email.number()`, canaryEvent},
	"mutation":        {`mutation: root = this.email.number()`, canaryEvent},
	"bloblang":        {`bloblang: root = this.email.number()`, canaryEvent},
	"switch":          {`switch: [ { check: this.email.number() > 1, processors: [ { noop: {} } ] } ]`, canaryEvent},
	"branch, request": {`branch: { request_map: root = this.email.number(), processors: [ { noop: {} } ] }`, canaryEvent},
	"branch, result":  {`branch: { processors: [ { noop: {} } ], result_map: root = throw(this.email) }`, canaryEvent},
	"cache":           {`cache: { resource: c, operator: get, key: '${! this.email }' }`, canaryEvent},
	"cache, key":      {`cache: { resource: c, operator: get, key: '${! throw(this.email) }' }`, canaryEvent},
	"decompress":      {`decompress: { algorithm: gzip }`, canaryEvent},
	"grok":            {`grok: { expressions: [ 'no match' ] }`, canaryEvent},
	"jmespath":        {`jmespath: { query: abs(email) }`, canaryEvent},
	"jmespath, text":  {`jmespath: { query: email }`, "canary@example.com"},
	"jq":              {`jq: { query: '.email + 1' }`, canaryEvent},
	"jq, text":        {`jq: { query: '.email' }`, "canary@example.com"},
	"json_schema":     {`json_schema: { schema: '{"properties":{"email":{"enum":["x"]}}}' }`, canaryEvent},
	"parse_log":       {`parse_log: { format: syslog_rfc5424 }`, "canary@example.com"},
	"unarchive":       {`unarchive: { format: json_array }`, canaryEvent},
	"unarchive, csv":  {`unarchive: { format: csv }`, "a,b\n\"canary@example.com"},
	"retry":           {`retry: { max_retries: 1, backoff: { initial_interval: 1ms }, processors: [ { mapping: root = throw(this.email) } ] }`, canaryEvent},
	"try":             {`try: [ { mapping: root = throw(this.email) } ]`, canaryEvent},
	"for_each":        {`for_each: [ { mapping: root = throw(this.email) } ]`, canaryEvent},
	"parallel":        {`parallel: { processors: [ { mapping: root = throw(this.email) } ] }`, canaryEvent},
}

const canaryEvent = `{"email":"canary@example.com"}`

// What fails on an event must not put it into the log.
func TestFailuresOfStockProcessorsQuoteNothing(t *testing.T) {
	for name, test := range failing {
		t.Run(name, func(t *testing.T) {
			text := logOf(t, test.processor, test.event)
			require.NotContains(t, text, "canary@")
		})
	}
}

type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// logOf runs one event through the processor and returns what the engine logged, from level INFO on.
func logOf(t *testing.T, processor, event string) string {
	t.Helper()
	env, err := all.Environment(false)
	require.NoError(t, err)
	sink := &lastError{}
	require.NoError(t, env.RegisterOutput("last_error", service.NewConfigSpec(), func(*service.ParsedConfig, *service.Resources) (service.Output, int, error) {
		return sink, 1, nil
	}))
	builder := env.NewStreamBuilder()
	log := &syncBuffer{}
	builder.SetLogger(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo})))
	require.NoError(t, builder.AddCacheYAML("label: c\nmemory: {}"))
	require.NoError(t, builder.AddInputYAML("generate: { count: 1, interval: '', mapping: "+strconv.Quote("root = "+strconv.Quote(event))+" }"))
	require.NoError(t, builder.AddProcessorYAML(processor))
	require.NoError(t, builder.AddOutputYAML("last_error: {}"))
	stream, err := builder.Build()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, stream.Run(ctx))
	require.Error(t, sink.err, "the event goes on flagged")
	return log.text.String()
}

// lastError keeps what the last message was flagged with.
type lastError struct{ err error }

func (s *lastError) Connect(context.Context) error { return nil }

func (s *lastError) Write(_ context.Context, msg *service.Message) error {
	s.err = msg.GetError()
	return nil
}

func (s *lastError) Close(context.Context) error { return nil }
