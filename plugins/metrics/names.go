package metrics

import "strings"

// kind is what a metric is; one name has one kind.
type kind string

const (
	counter kind = "counter"
	gauge   kind = "gauge"
	timer   kind = "timer"
)

// exported is the name a metric has in Prometheus.
func exported(name string, k kind) string {
	name = strings.Map(nameRune, name)
	switch k {
	case counter:
		return strings.TrimSuffix(name, "_total") + "_total"
	case timer:
		return strings.TrimSuffix(strings.TrimSuffix(name, "_ns"), "_seconds") + "_seconds"
	}
	return name
}

// labelNames are the labels' names in Prometheus.
func labelNames(keys []string) []string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = strings.Map(nameRune, key)
	}
	return names
}

func nameRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}
