package analyst

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/clickhouse/schema"
	"github.com/ebbgate/ebbgate/internal/generate"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

const latency = 1500 * time.Millisecond

// database holds what the generator made, as the sink would have written it, with every kind of repeat.
type database struct {
	*testing.T
	client *clickhouse.Client
	events []generate.Event // in order, repeats of clients among them
	begin  time.Time
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	client, err := clickhouse.Open(clickhouse.Options{DSN: plugtest.ClickHouse(t), Compression: clickhouse.None, Timeout: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	ws, err := workspace.Load("../../pipelines")
	require.NoError(t, err)
	destination, _ := ws.Policy.Destination("analytics")
	want, err := schema.Describe(os.DirFS("../../pipelines/clickhouse"), ws.Contracts, destination)
	require.NoError(t, err)
	plan, err := schema.MakePlan(t.Context(), client, want, false)
	require.NoError(t, err)
	require.NoError(t, plan.Apply(t.Context(), client, func(schema.Change) {}))
	d := &database{T: t, client: client, begin: time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -28)}
	g := generate.New(generate.Options{
		Seed: 3, Count: 3000, Users: 120, Start: d.begin, Span: 21 * 24 * time.Hour,
		BadShare: 0.02, MissingConsentShare: 0.05, WithdrawnShare: 0.2, RepeatShare: 0.03,
	})
	for ev, ok := g.Next(nil); ok; ev, ok = g.Next(nil) {
		d.events = append(d.events, ev)
	}
	d.load(0, 0)
	d.load(0, 0) // the same chunks again
	d.load(1, 7*24*time.Hour)
	d.refresh()
	return d
}

func denied(ev generate.Event) string { return ev.Expect.Denied(generate.Analytics) }

func delivered(ev generate.Event) bool { return ev.Expect.Accepted() && denied(ev) == "" }

// load inserts the events in chunks under fixed tokens. A replay has tokens and positions of its own and comes later. What
// did not come in goes to outcomes, at every load.
func (d *database) load(epoch int, later time.Duration) {
	d.Helper()
	var rows, missing []string
	for i, ev := range d.events {
		if delivered(ev) {
			rows = append(rows, fmt.Sprintf("('%s','%s',%s,%s,'%s','v1','events.authorized.analytics',%d,%d,%d,%s,'behaviour')",
				ev.ID, ev.Name, moment(ev.Time), moment(ev.Time.Add(time.Second)), ev.Subject.UserID, i%2, i+epoch*100000, epoch, moment(ev.Time.Add(latency+later))))
			continue
		}
		outcome, reason, name := "denied", denied(ev), ev.Name
		if !ev.Expect.Accepted() {
			outcome, reason, name = "quarantined", ev.Expect.Code, ""
		}
		sum := sha256.Sum256([]byte(ev.ID))
		missing = append(missing, fmt.Sprintf("('%s','%s',%s,'%s','%s','govern','v1')", hex.EncodeToString(sum[:16]), name, moment(ev.Time), outcome, reason))
	}
	for from := 0; from < len(rows); from += 500 {
		d.exec(fmt.Sprintf("INSERT INTO events (event_id, event_name, timestamp, received_at, user_id, policy_version, topic, partition, offset, replay_epoch, inserted_at, class) "+
			"SETTINGS insert_deduplication_token = 'chunk-%d-%d', async_insert = 0 VALUES ", epoch, from) + strings.Join(rows[from:min(from+500, len(rows))], ","))
	}
	d.exec("INSERT INTO outcomes VALUES " + strings.Join(missing, ","))
}

func moment(t time.Time) string {
	return fmt.Sprintf("fromUnixTimestamp64Milli(%d, 'UTC')", t.UnixMilli())
}

func (d *database) exec(statement string) {
	d.Helper()
	require.NoError(d, d.client.Exec(d.Context(), statement))
}

func (d *database) refresh() {
	d.Helper()
	for _, view := range []string{"events_per_minute", "trial_funnel", "consent_coverage", "action_to_queryable"} {
		d.exec("SYSTEM REFRESH VIEW " + view)
		d.exec("SYSTEM WAIT VIEW " + view)
	}
}

// table reads two columns of a query: a name and a number.
func (d *database) table(query string) map[string]int {
	d.Helper()
	got := map[string]int{}
	require.NoError(d, d.client.Query(d.Context(), "SELECT toString(name), toInt64(n) FROM ("+query+")", nil, func(scan func(...any) error) error {
		var name string
		var n int64
		err := scan(&name, &n)
		got[name] = int(n)
		return err
	}))
	return got
}

// ledger counts each event once by what name gives; an empty name does not count.
func (d *database) ledger(name func(generate.Event) string) map[string]int {
	want, seen := map[string]int{}, map[string]bool{}
	for _, ev := range d.events {
		if key := name(ev); key != "" && !seen[ev.ID] {
			seen[ev.ID] = true
			want[key]++
		}
	}
	return want
}

// Each part only reads, so they share the database.
func TestNumbersStayRightWhenChunksRepeatAndReplay(t *testing.T) {
	d := newDatabase(t)
	for name, part := range map[string]func(*testing.T, *database){
		"rollups": repeats, "status and coverage": status, "trial funnel": trialFunnel,
	} {
		t.Run(name, func(t *testing.T) {
			mine := *d
			mine.T = t
			part(t, &mine)
		})
	}
}

func repeats(t *testing.T, d *database) {
	byName := d.ledger(func(ev generate.Event) string {
		if !delivered(ev) {
			return ""
		}
		return ev.Name
	})
	raw := d.table("SELECT event_name AS name, count() AS n FROM events GROUP BY name")
	require.Greater(t, raw["feature_used"], byName["feature_used"], "the table holds repeats, or the test shows nothing")
	assert.Equal(t, byName, d.table("SELECT event_name AS name, sum(events) AS n FROM events_per_minute GROUP BY name"))

	minutes := d.ledger(func(ev generate.Event) string {
		if !delivered(ev) {
			return ""
		}
		return ev.Name + ev.Time.UTC().Format(" 2006-01-02 15:04:00")
	})
	assert.Equal(t, minutes, d.table("SELECT concat(event_name, ' ', toString(minute)) AS name, events AS n FROM events_per_minute"))

	live := fmt.Sprintf("SELECT event_name AS name, sum(events) AS n FROM action_to_queryable WHERE p50_seconds = %g AND p99_seconds = %g GROUP BY name", latency.Seconds(), latency.Seconds())
	assert.Equal(t, byName, d.table(live), "a replay is no latency of the live stream")
}

func status(t *testing.T, d *database) {
	count := func(is func(generate.Event) bool) map[string]int {
		return d.ledger(func(ev generate.Event) string {
			switch {
			case !is(ev):
				return ""
			case !ev.Expect.Accepted():
				return "unnamed"
			}
			return ev.Name
		})
	}
	kept := count(delivered)
	refused := count(func(ev generate.Event) bool { return ev.Expect.Accepted() && denied(ev) != "" })
	broken := count(func(ev generate.Event) bool { return !ev.Expect.Accepted() })
	require.NotEmpty(t, refused)
	require.NotEmpty(t, broken)
	for _, source := range []struct{ table, denied string }{{"data_status", "denied"}, {"consent_coverage", "without_consent"}} {
		for column, want := range map[string]map[string]int{"delivered": kept, source.denied: refused, "quarantined": broken} {
			got := d.table("SELECT if(event_name = '', 'unnamed', event_name) AS name, sum(" + column + ") AS n FROM " + source.table + " GROUP BY name HAVING n > 0")
			assert.Equal(t, want, got, "%s of %s", column, source.table)
		}
	}
	assert.Equal(t, map[string]int{"v1": len(kept)}, d.table("SELECT change.1 AS name, count() AS n FROM data_status ARRAY JOIN policy_changes AS change GROUP BY name"))
	last := map[int]time.Time{}
	for i, ev := range d.events {
		if delivered(ev) {
			last[i%2] = ev.Time.Add(time.Second)
		}
	}
	through := last[0]
	if last[1].Before(through) {
		through = last[1]
	}
	assert.Equal(t, map[string]int{"complete": int(through.UnixMilli())}, d.table("SELECT DISTINCT 'complete' AS name, toUnixTimestamp64Milli(complete_through) AS n FROM data_status"))
}

func trialFunnel(t *testing.T, d *database) {
	want := d.funnel()
	require.Positive(t, want["subscribed"])
	got := map[string]int{}
	for column := range want {
		got[column] = d.table("SELECT 'all' AS name, sum(" + column + ") AS n FROM trial_funnel")["all"]
	}
	assert.Equal(t, want, got)
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
