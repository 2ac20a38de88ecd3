package metrics

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// other stands for label values beyond max_series.
const other = "other"

// place are the labels that say where a component is. A configuration has few values of them, and they are never folded.
var place = map[string]bool{"stream": true, "label": true, "path": true}

// vector is a metric with labels, as the client library makes them.
type vector[M any] interface {
	prometheus.Collector
	GetMetricWithLabelValues(values ...string) (M, error)
}

// series are those of one metric. Every count of an event looks one up, so that costs no memory.
type series[M any] struct {
	options
	vector[M]
	name  string
	names []string // of the labels

	mu     sync.RWMutex
	known  map[string]M
	folded bool
}

func newSeries[M any](name string, labels []string, opts options, v vector[M]) *series[M] {
	return &series[M]{options: opts, vector: v, name: name, names: labels, known: map[string]M{}}
}

// with returns the series of the label values.
func (s *series[M]) with(values []string) M {
	var room [256]byte
	key := appendKey(room[:0], values)
	s.mu.RLock()
	found, ok := s.known[string(key)]
	s.mu.RUnlock()
	if ok {
		return found
	}
	return s.add(values)
}

func (s *series[M]) add(values []string) M {
	s.mu.Lock()
	defer s.mu.Unlock()
	values = s.fit(values)
	key := string(appendKey(nil, values))
	if found, ok := s.known[key]; ok {
		return found
	}
	if len(s.known) >= s.most {
		values = s.fold(values)
		key = string(appendKey(nil, values))
		if found, ok := s.known[key]; ok {
			return found
		}
	}
	made, err := s.GetMetricWithLabelValues(values...)
	if err != nil { // fit left nothing to refuse
		s.log.Errorf("Counting %s: %v", s.name, err)
	}
	s.known[key] = made
	return made
}

// fit gives a value to each label, in valid UTF-8.
func (s *series[M]) fit(values []string) []string {
	fitting := make([]string, len(s.names))
	for i := range min(len(values), len(fitting)) {
		fitting[i] = strings.ToValidUTF8(values[i], "\uFFFD")
	}
	return fitting
}

// fold replaces what is not a place by other.
func (s *series[M]) fold(values []string) []string {
	if !s.folded {
		s.folded = true
		s.log.Warnf("The metric %s has %d series: more are counted under %q; raise max_series if they are meant", s.name, len(s.known), other)
	}
	folded := make([]string, len(values))
	for i, value := range values {
		if folded[i] = value; !place[s.names[i]] {
			folded[i] = other
		}
	}
	return folded
}

func appendKey(key []byte, values []string) []byte {
	for _, value := range values {
		key = append(append(key, value...), 0xff)
	}
	return key
}
