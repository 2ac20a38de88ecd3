package analyst

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/generate"
)

// recipe is the first query of the cookbook under a heading.
func recipe(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/cookbook.md")
	require.NoError(t, err)
	_, part, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	require.True(t, ok, "the cookbook has no part %q", heading)
	_, part, _ = strings.Cut(part, "```sql\n")
	query, _, _ := strings.Cut(part, "```")
	return query
}

// cookbook holds that the queries that need no properties give the numbers of the generator. (Those that do run in tests/docs.)
func cookbook(t *testing.T, d *database) {
	once := d.ledger(func(ev generate.Event) string {
		if !delivered(ev) {
			return ""
		}
		return ev.Name
	})
	assert.Equal(t, once["page_viewed"], d.table("SELECT 'all' AS name, page_views AS n FROM (" + recipe(t, "Large tables") + ")")["all"])

	recent := strings.ReplaceAll(recipe(t, "Events by kind and day"), "INTERVAL 7 DAY", "INTERVAL 60 DAY")
	assert.Equal(t, once, d.table("SELECT event_name AS name, sum(events) AS n FROM ("+recent+") GROUP BY name"))

	status := recipe(t, "Is the data fresh, and is it whole?")
	assert.Equal(t, once, d.table("SELECT event_name AS name, delivered AS n FROM ("+status+") WHERE delivered > 0"))

	acts := d.ledger(func(ev generate.Event) string { return ev.Time.UTC().Format(time.DateOnly) })
	dip := recipe(t, "A dip: fewer acts, or less consent?")
	assert.Equal(t, acts, d.table("SELECT day AS name, acts AS n FROM ("+dip+")"))

	funnel := recipe(t, "Funnel: sign-up, trial, subscription")
	for column, want := range d.funnel() {
		assert.Equal(t, want, d.table("SELECT 'all' AS name, " + column + " AS n FROM (" + funnel + ")")["all"], column)
	}
	assert.Equal(t, d.retention(), d.table("SELECT concat(toString(cohort), ' ', toString(week)) AS name, users AS n FROM ("+recipe(t, "Retention, week over week")+")"))

	extra := d.table("SELECT event_name AS name, sum(extra_rows) AS n FROM (" + recipe(t, "Events a client sent more than once") + ") GROUP BY name")
	rows := d.table("SELECT event_name AS name, count() AS n FROM event_rows GROUP BY name")
	for name, n := range extra {
		assert.Equal(t, rows[name]-once[name], n, name)
	}
}

// funnel counts the users that came to each step.
func (d *database) funnel() map[string]int {
	steps := []struct{ event, column string }{{"signed_up", "signed_up"}, {"trial_started", "started_trial"}, {"subscription_started", "subscribed"}}
	reached := map[string]int{}
	for _, ev := range d.events {
		if at := reached[ev.Subject.UserID]; delivered(ev) && at < len(steps) && ev.Name == steps[at].event {
			reached[ev.Subject.UserID]++
		}
	}
	want := map[string]int{}
	for _, n := range reached {
		for _, step := range steps[:n] {
			want[step.column]++
		}
	}
	return want
}

// retention counts the users of each first week in each week since.
func (d *database) retention() map[string]int {
	monday := func(at time.Time) time.Time {
		day := at.UTC().Truncate(24 * time.Hour)
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	}
	first, active := map[string]time.Time{}, map[string]bool{}
	want := map[string]int{}
	for _, ev := range d.events { // in order of time
		user := ev.Subject.UserID
		if user == "" || !delivered(ev) {
			continue
		}
		week := monday(ev.Time)
		if first[user].IsZero() {
			first[user] = week
		}
		key := first[user].Format(time.DateOnly) + " " + string(rune('0'+int(week.Sub(first[user]).Hours()/24/7)))
		if !active[user+key] {
			active[user+key] = true
			want[key]++
		}
	}
	return want
}
