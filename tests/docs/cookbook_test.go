package docs

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const cookbook = "docs/cookbook.md"

// answer is what a query of the cookbook must give, computed in Go from what the generator made and the broker holds, as
// lines of columns in any order.
type answer struct {
	lines func(*ledger) []string
	// rows says that the query is about rows and not about events: a replay adds to them.
	rows bool
}

func events(lines func(*ledger) []string) answer { return answer{lines: lines} }
func rows(lines func(*ledger) []string) answer   { return answer{lines: lines, rows: true} }

// answers are those of the cookbook's queries, by heading, in their order under it.
var answers = map[string][]answer{
	"Large tables":                                      {events(pageViews)},
	"Events by kind and day":                            {events(byKindAndDay)},
	"Funnel: sign-up, trial, subscription":              {events(funnel), events(funnelByWeek), events(hoursToTrial)},
	"Retention, week over week":                         {events(retention)},
	"First and last campaign before a sign-up":          {events(touches), events(campaignsKnown)},
	"Experiments":                                       {events(experiments)},
	"Revenue":                                           {events(revenue)},
	"Is the data fresh, and is it whole?":               {events(status), events(latency)},
	"A dip: fewer acts, or less consent?":               {events(coverage)},
	"What consent do the rows rest on?":                 {events(consentOfRows)},
	"The sink's own books":                              {rows(sinkBooks), rows(heldBack), rows(rowsAgainstBooks)},
	"Events a client sent more than once":               {rows(sentAgain)},
	"Where a row came from":                             {rows(lineage)},
	"For auditors: what was denied, and by which rule?": {events(denials), events(allOfOne)},
}

// Every query of the cookbook has an answer here, and gives it; those about events give it again after every row has come a
// second time.
func giveTheLedger(t *testing.T, w *warehouse, recipes map[string][]block) {
	for heading := range answers {
		assert.Len(t, recipes[heading], len(answers[heading]), "answers to queries under %q that the cookbook does not have", heading)
	}
	l := newLedger(t, w)
	for _, replayed := range []bool{false, true} {
		if replayed {
			w.replay(t)
		}
		for heading, list := range recipes {
			require.Len(t, answers[heading], len(list), "%s: a query under %q has no answer: compute one from the ledger and add it to answers", list[0].at(), heading)
			for i, b := range list {
				if a := answers[heading][i]; !replayed || !a.rows {
					t.Run(fmt.Sprintf("%s replayed=%t", b.at(), replayed), func(t *testing.T) { gives(t, w, b, a.lines(l)) })
				}
			}
		}
	}
}

// byHeading are the cookbook's queries under each heading.
func byHeading(t *testing.T) map[string][]block {
	t.Helper()
	lines := strings.Split(read(t, cookbook), "\n")
	found := map[string][]block{}
	for _, b := range queries(t, cookbook) {
		above := slices.Clone(lines[:b.line])
		slices.Reverse(above)
		i := slices.IndexFunc(above, func(line string) bool { return strings.HasPrefix(line, "## ") })
		require.GreaterOrEqual(t, i, 0, b.at())
		heading := strings.TrimPrefix(above[i], "## ")
		found[heading] = append(found[heading], b)
	}
	return found
}

// gives holds a query to its answer. The clock stands still at the end of the journeys.
func gives(t *testing.T, w *warehouse, b block, want []string) {
	t.Helper()
	end := w.events[len(w.events)-1].Time
	got, err := w.ask(t, "TabSeparated", strings.ReplaceAll(b.text, "now()", "toDateTime64('"+stamp(end)+"', 3, 'UTC')"))
	require.NoError(t, err, "%s: %s", b.at(), got)
	require.NotEmpty(t, want, "the ledger has nothing to compare with")
	slices.Sort(want)
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	slices.Sort(lines)
	assert.Equal(t, want, lines, b.at())
}

// line is one line of an answer as ClickHouse writes it.
func line(columns ...any) string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		switch v := c.(type) {
		case float64:
			texts[i] = strconv.FormatFloat(v, 'f', -1, 64)
		case time.Time:
			texts[i] = stamp(v)
		default:
			texts[i] = fmt.Sprint(v)
		}
	}
	return strings.Join(texts, "\t")
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.000") }

func day(at time.Time) string { return at.UTC().Format(time.DateOnly) }

func monday(at time.Time) time.Time {
	at = at.UTC().Truncate(24 * time.Hour)
	return at.AddDate(0, 0, -(int(at.Weekday())+6)%7)
}

// percent is rounded to one place, half to even, as the server does.
func percent(part, of int) float64 { return tenths(float64(100*part) / float64(of)) }

func tenths(x float64) float64 { return math.RoundToEven(x*10) / 10 }

// counts are numbers by what they are of.
type counts[K comparable] map[K]int

func (c counts[K]) lines(columns func(K, int) string) (out []string) {
	for k, n := range c {
		out = append(out, columns(k, n))
	}
	return out
}
