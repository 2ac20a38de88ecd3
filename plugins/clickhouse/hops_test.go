package clickhouse

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/stage"
)

func TestTheLastHopIsLoggedAndTraced(t *testing.T) {
	s := newServer(t)
	var log bytes.Buffer
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	o := s.output(t, withStates(map[string]consent.State{"sk11": says(map[string]bool{"analytics": false})}), func(c *config) {
		c.hops = hop.NewLog(1, service.NewLoggerFromSlog(slog.New(slog.NewTextHandler(&log, nil))))
		c.tracer = hop.NewTracer(provider)
	})
	batch := chunkOf(run(0, 2)...)
	at, _ := stage.PositionOf(batch[0])
	_, parent := provider.Tracer("test").Start(t.Context(), "process")
	at.Chunk.Attempt, at.Chunk.Spans = 2, map[int64]trace.Span{0: parent}
	require.NoError(t, o.WriteBatch(t.Context(), batch))

	lines := strings.Split(log.String(), "\n")
	for i, outcome := range []string{"delivered", "denied", "delivered"} {
		assert.Subset(t, strings.Fields(lines[i]), []string{ // in any order
			"msg=hop", fmt.Sprintf("event_id=evt_%08d", i), "correlation_id=req_abc", "topic=events.authorized.analytics",
			"partition=0", fmt.Sprintf("offset=%d", i), "destination=analytics", "outcome=" + outcome, "attempt=2",
		})
	}
	assert.NotContains(t, log.String(), "spring")

	require.Len(t, spans.Ended(), 1, "only what is traced")
	span := spans.Ended()[0]
	assert.Equal(t, "deliver analytics", span.Name())
	assert.Equal(t, parent.SpanContext().SpanID(), span.Parent().SpanID())
}
