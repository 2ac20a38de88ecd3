package clickhouse

import (
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
)

// samples bounds how many events of a chunk tell how long they took: spread evenly, the last one always among them.
const samples = 16

// sampled tells whether the nth of so many rows is one of the samples.
func sampled(n, of int) bool {
	return n == of-1 || n%(of/samples+1) == 0
}

// sample keeps when the event happened, where the destination may know.
func (c *chunk) sample(r *record, ix *event.Index) {
	if !r.decidedAt.IsZero() {
		c.acted = append(c.acted, r.decidedAt)
		return
	}
	v, ok := ix.Get(event.Timestamp)
	if !ok || v.Kind() != event.String {
		return
	}
	var scratch [64]byte
	if at, ok := event.ParseTime(v.Text(scratch[:0])); ok {
		c.acted = append(c.acted, at)
	}
}

// timings tell how long events were on their way, and how recent what the destination has is.
type timings struct {
	latency *service.MetricTimer
	newest  *service.MetricGauge
	first   *service.MetricGauge

	mu     sync.Mutex
	last   time.Time
	begun  bool
	target string
}

func newTimings(m *service.Metrics, destination string) *timings {
	return &timings{
		latency: m.NewTimer("ebbgate_end_to_end_latency_ns", "destination"),
		newest:  m.NewGauge("ebbgate_newest_delivered_timestamp_seconds", "destination"),
		first:   m.NewGauge("ebbgate_first_delivered_timestamp_seconds", "destination"),
		target:  destination,
	}
}

// delivered takes the samples of a chunk that became durable now.
func (t *timings) delivered(acted []time.Time, now time.Time) {
	if len(acted) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, at := range acted {
		if at.After(now) { // a clock that is ahead
			at = now
		}
		t.latency.Timing(now.Sub(at).Nanoseconds(), t.target)
		if at.After(t.last) {
			t.last = at
		}
	}
	t.newest.SetFloat64(seconds(t.last), t.target)
	if !t.begun {
		t.begun = true
		t.first.SetFloat64(seconds(now), t.target)
	}
}

func seconds(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }
