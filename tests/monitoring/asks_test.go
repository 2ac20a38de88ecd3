package monitoring

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// drawsPanels asks every question of the dashboard: each has an answer, with every label its legend shows.
func drawsPanels(t *testing.T, s *server) {
	for panel, targets := range panels(t) {
		for _, target := range targets {
			found := s.query(target.Expr)
			assert.NotEmpty(t, found, "%s: nothing is found by %s", panel, target.Expr)
			for _, one := range found {
				for _, name := range inBraces.FindAllStringSubmatch(target.LegendFormat, -1) {
					assert.NotEmpty(t, one.labels[name[1]], "%s: %s has no label %s", panel, target.Expr, name[1])
				}
			}
			namesLabels(t, s, target.Expr)
		}
	}
}

// evaluatesRules asks for every rule: the server can evaluate it, it has found what it is for, and the words about it show labels
// it has. EbbgateDown comes later.
func evaluatesRules(t *testing.T, s *server) {
	rules := s.rules()
	require.Greater(t, len(rules), 8)
	for _, rule := range rules {
		assert.Equal(t, "ok", rule.Health, "%s: %s", rule.Name, rule.LastError)
		namesLabels(t, s, rule.Query)
		if rule.Name == "EbbgateDown" {
			continue
		}
		for _, one := range s.comes(rule.Query) {
			for _, text := range rule.Annotations {
				for _, name := range labelShown.FindAllStringSubmatch(text, -1) {
					assert.NotEmpty(t, one.labels[name[1]], "%s has no label %s", rule.Name, name[1])
				}
			}
		}
		if rule.Type == "alerting" {
			s.comes(`ALERTS{alertstate="firing",alertname="` + rule.Name + `"}`)
		}
	}
}

var (
	inBraces   = regexp.MustCompile(`\{\{ *(\w+) *\}\}`)
	labelShown = regexp.MustCompile(`\$labels\.(\w+)`)
	anyMetric  = regexp.MustCompile(`\b(?:ebbgate[_:][a-z0-9_:]+|process_start_time_seconds|up|ALERTS)\b`)
	grouping   = regexp.MustCompile(`\b(?:by|on|group_left) \(([^)]+)\)`)
	matcher    = regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)"`)
)

// namesLabels holds the labels a query names to those its metrics have.
func namesLabels(t *testing.T, s *server, query string) {
	t.Helper()
	known := map[string]bool{"le": strings.Contains(query, "_bucket")}
	for _, metric := range anyMetric.FindAllString(query, -1) {
		for name := range s.labels(metric) {
			known[name] = true
		}
	}
	for _, list := range grouping.FindAllStringSubmatch(query, -1) {
		for name := range strings.SplitSeq(list[1], ",") {
			assert.True(t, known[strings.TrimSpace(name)], "%s: no metric has the label %s", query, name)
		}
	}
	for _, name := range matcher.FindAllStringSubmatch(query, -1) {
		assert.True(t, known[name[1]], "%s: no metric has the label %s", query, name[1])
	}
}
