package metrics

import (
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	_ "github.com/redpanda-data/benthos/v4/public/components/pure" // the inputs and outputs of a stream
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"
)

func parsed(t *testing.T, yaml string) (*exporter, error) {
	t.Helper()
	conf, err := exporterSpec().ParseYAML(yaml, nil)
	require.NoError(t, err)
	return fromParsed(conf, nil)
}

func plain(t *testing.T, yaml string) *exporter {
	t.Helper()
	e, err := parsed(t, "{add_go_metrics: false, add_process_metrics: false, "+yaml+"}")
	require.NoError(t, err)
	return e
}

// scrape returns the lines a scrape gets, comments left out.
func scrape(t *testing.T, e *exporter) []string {
	t.Helper()
	res := httptest.NewRecorder()
	e.HandlerFunc()(res, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, res.Code)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "promhttp_") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestNamesFollowPrometheus(t *testing.T) {
	e := plain(t, "histogram_buckets: [ 1, 10 ]")
	e.NewCounterCtor("input_received")().Incr(3)
	e.NewCounterCtor("ebbgate_denied_total", "destination")("analytics").Incr(2)
	e.NewGaugeCtor("ebbgate-lag", "top.ic")("a").Set(7)
	e.NewTimerCtor("ebbgate_clickhouse_insert_ns")().Timing(2_000_000_000)
	e.NewTimerCtor("ebbgate_wait_seconds")()
	require.ElementsMatch(t, []string{
		`input_received_total 3`,
		`ebbgate_denied_total{destination="analytics"} 2`,
		`ebbgate_lag{top_ic="a"} 7`,
		`ebbgate_clickhouse_insert_seconds_bucket{le="1"} 0`,
		`ebbgate_clickhouse_insert_seconds_bucket{le="10"} 1`,
		`ebbgate_clickhouse_insert_seconds_bucket{le="+Inf"} 1`,
		`ebbgate_clickhouse_insert_seconds_sum 2`,
		`ebbgate_clickhouse_insert_seconds_count 1`,
		`ebbgate_wait_seconds_bucket{le="1"} 0`,
		`ebbgate_wait_seconds_bucket{le="10"} 0`,
		`ebbgate_wait_seconds_bucket{le="+Inf"} 0`,
		`ebbgate_wait_seconds_sum 0`,
		`ebbgate_wait_seconds_count 0`,
	}, scrape(t, e))
}

func TestOneNameMayHaveSeveralLabelSets(t *testing.T) {
	e := plain(t, "")
	e.NewCounterCtor("x", "stream")("s").Incr(1)
	e.NewCounterCtor("x", "stream", "reason")("s", "r").Incr(2)
	e.NewCounterCtor("x", "stream")("s").Incr(4)
	require.ElementsMatch(t, []string{`x_total{stream="s"} 5`, `x_total{reason="r",stream="s"} 2`}, scrape(t, e))
}

func TestANameHasOneKind(t *testing.T) {
	e := plain(t, "")
	e.NewCounterCtor("x_total")().Incr(1)
	e.NewGaugeCtor("x_total")().Set(9)
	require.Equal(t, []string{"x_total 1"}, scrape(t, e))
}

// A label that data can reach must not make series without end, and nothing that was counted may be missing.
func TestSeriesAreBounded(t *testing.T) {
	e := plain(t, "max_series: 3")
	denied := e.NewCounterCtor("denied", "stream", "reason")
	for i := range 100 {
		denied("one", "r"+strconv.Itoa(i)).Incr(1)
		denied("two", "r"+strconv.Itoa(i)).Incr(1)
	}
	require.ElementsMatch(t, []string{
		`denied_total{reason="r0",stream="one"} 1`,
		`denied_total{reason="r0",stream="two"} 1`,
		`denied_total{reason="r1",stream="one"} 1`,
		`denied_total{reason="other",stream="one"} 98`,
		`denied_total{reason="other",stream="two"} 99`,
	}, scrape(t, e))
}

func TestOddCountsDoNotStopAStream(t *testing.T) {
	e := plain(t, "")
	c := e.NewCounterCtor("x", "a", "b")
	c("only one").Incr(1)
	c("one", "two", "three").Incr(1)
	c("\xff", "").Incr(1)
	c("down", "").Incr(-1)
	require.ElementsMatch(t, []string{
		`x_total{a="only one",b=""} 1`, `x_total{a="one",b="two"} 1`, "x_total{a=\"\uFFFD\",b=\"\"} 1", `x_total{a="down",b=""} 0`,
	}, scrape(t, e))
}

func TestCountingAndScrapingAtOnce(t *testing.T) {
	e := plain(t, "max_series: 10")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 500 {
				e.NewCounterCtor("x", "a")(strconv.Itoa(i % 20)).Incr(1)
				if i%50 == 0 {
					scrape(t, e)
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, line := range scrape(t, e) {
		n, err := strconv.Atoi(line[strings.LastIndex(line, " ")+1:])
		require.NoError(t, err)
		sum += n
	}
	require.Equal(t, 4000, sum)
}

func TestRefusesBucketsOutOfOrder(t *testing.T) {
	for _, yaml := range []string{"histogram_buckets: [ 2, 1 ]", "histogram_buckets: [ 1, 1 ]", "histogram_buckets: []", "max_series: 0"} {
		_, err := parsed(t, yaml)
		require.Error(t, err, yaml)
	}
}

// The engine serves what a stream counts, with the stream's own labels, and the process's metrics.
func TestAStreamIsScraped(t *testing.T) {
	env := service.NewEnvironment()
	require.NoError(t, Register(env))
	builder := env.NewStreamBuilder()
	require.NoError(t, builder.SetYAML(`
input: { label: made, generate: { count: 5, interval: "", mapping: root = "x" } }
output: { label: gone, drop: {} }
logger: { level: NONE }
metrics: { prometheus: {} }
`))
	mux := newMux()
	builder.SetHTTPMux(mux)
	stream, err := builder.Build()
	require.NoError(t, err)
	require.NoError(t, stream.Run(t.Context()))
	text := mux.get(t, "/metrics")
	require.Contains(t, text, `input_received_total{label="made",path="root.input"} 5`)
	require.Contains(t, text, `output_latency_seconds_count{label="gone",path="root.output"}`)
	require.Contains(t, text, "process_start_time_seconds ")
	require.Contains(t, text, "go_goroutines ")
}
