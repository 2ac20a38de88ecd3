package staging

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write golden files anew")

func shipped(t *testing.T) *Area {
	t.Helper()
	src, err := os.ReadFile("../../pipelines/staging.yaml")
	require.NoError(t, err)
	area, err := Parse(src, File)
	require.NoError(t, err)
	return area
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run `make golden` after an intended change")
}

const smallArea = `destination: warehouse
datasets:
  orders:
    kind: event
    events: [order_placed]
    sensitivity: pseudonymous
    latency: hourly
    retention: 30d
    columns:
      plan: { path: properties.plan, type: text }
`

func TestProblemsNameTheRuleAndTheRemedy(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, want string }{
		"reserved suffix of a table": {"  orders:", "  orders_old:", "staging.yaml:3: datasets.orders_old: ends in _old, which Stitch keeps for itself: name it otherwise"},
		"two underscores":            {"plan: {", "plan__st: {", "has two underscores, by which Stitch marks columns of its own"},
		"upper case":                 {"plan: {", "Plan: {", "is no name that every destination keeps as it is"},
		"leading underscore":         {"plan: {", "_sdc_plan: {", "is no name that every destination keeps as it is"},
		"long column":                {"plan: {", strings.Repeat("p", 56) + ": {", "longer than 55 characters"},
		"long table":                 {"  orders:", "  " + strings.Repeat("o", 61) + ":", "longer than 60 characters"},
		"column of every dataset":    {"plan: {", "row_seq: {", "is a column that every event has"},
		"table of every area":        {"  orders:", "  privacy_deletions:", "is a table that every area has"},
		"unscaled numbers":           {"type: text", "type: numeric", "arrives with a rounding of its own: use micros for amounts"},
		"naive time":                 {"type: text", "type: timestamp", "has no zone, and Stitch calls it UTC whatever it was: use timestamptz"},
		"json by its name":           {"type: text", "type: json", "end its name in _json"},
		"binary":                     {"type: text", "type: bytea", "is not read by Stitch: use text"},
		"raw sessions by word":       {"pseudonymous", "session", "raw sessions are never synced"},
		"raw sessions by path":       {"properties.plan", "subject.anonymous_id", "`subject.anonymous_id` is of raw sessions, which are never synced: remove the column"},
		"addresses":                  {"properties.plan", "context.ip", "is of raw sessions"},
		"secrets by word":            {"pseudonymous", "secret", "secrets are never synced"},
		"secrets by name":            {"properties.plan", "properties.api_key", "is named like a secret, and secrets are never synced"},
		"faster than Stitch":         {"hourly", "seconds", "Stitch loads once in half an hour at best"},
		"no such aggregate":          {"pseudonymous", "aggregate", "rows of single subjects are no aggregate"},
		"facts without a key":        {"kind: event", "kind: fact", "name the paths that tell one fact from another"},
		"misspelt kind":              {"kind: event", "kind: events", "event"},
		"tombstones too short":       {"datasets:", "tombstones: 7d\ndatasets:", "shorter than 35d"},
		"one role for two":           {"datasets:", "roles: {writer: x, reader: x}\ndatasets:", "two roles are one"},
		"unknown field":              {"kind: event", "kind: event\n    keys: [a]", "keys"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, smallArea, tc.old)
			_, err := Parse([]byte(strings.Replace(smallArea, tc.old, tc.new, 1)), File)
			require.ErrorContains(t, err, tc.want)
			assert.Contains(t, err.Error(), "staging.yaml:")
		})
	}
	_, err := Parse([]byte(smallArea), File)
	require.NoError(t, err, "what they are made of is right")
}

func TestAggregatesAreHeldAgainstWhatTheyCount(t *testing.T) {
	src, err := os.ReadFile("../../pipelines/staging.yaml")
	require.NoError(t, err)
	for name, tc := range map[string]struct{ old, new, want string }{
		"other dataset":   {"of: marketing_events", "of: customer_profiles", "no dataset `customer_profiles` of kind event"},
		"other column":    {"group_by: [campaign_id,", "group_by: [cost_micros,", "`cost_micros` is no text column of marketing_events"},
		"other event":     {"count: campaign_touched", "count: email_sent", "marketing_events has no event `email_sent`"},
		"other sum":       {"sum: cost_micros", "sum: channel", "`channel` is no bigint or micros column"},
		"nothing counted": {"subjects: true }", "subjects: true, count: '*' }", "counts nothing, or several things"},
		"cells too small": {"minimum_subjects: 5", "minimum_subjects: 1", "minimum_subjects"},
		"not aggregate":   {"sensitivity: aggregate", "sensitivity: personal", "an aggregate tells of nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(src), tc.old)
			_, err := Parse([]byte(strings.Replace(string(src), tc.old, tc.new, 1)), File)
			require.ErrorContains(t, err, tc.want)
		})
	}
}
