package state

import (
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// waiting counts the questions that have no answer yet.
type waiting struct {
	mu    sync.Mutex
	n     int
	gauge *service.MetricGauge
}

func (w *waiting) add(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n += n
	w.gauge.Set(int64(w.n))
}
