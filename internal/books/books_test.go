package books

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var both = []Destination{
	{Name: "analytics", Topic: "events.authorized.analytics"},
	{Name: "activation", Topic: "events.authorized.activation", Extent: ToTopic},
}

// healthy is a ledger in which every end occurs and everything closes.
func healthy() *Ledger {
	l := NewLedger(both...)
	send := func(id string) { l.Accept(id) }
	send("delivered")
	l.Authorize("delivered", "analytics")
	l.Authorize("delivered", "activation")
	l.Deliver("delivered", "analytics", 1)

	send("denied")
	l.Deny("denied", Everywhere, "consent.analytics=false")

	send("split")
	l.Authorize("split", "analytics")
	l.Deliver("split", "analytics", 1)
	l.Deny("split", "activation", "suppressed")

	send("broken")
	l.Quarantine("broken", Everywhere, "event.syntax")

	send("withdrawn")
	l.Authorize("withdrawn", "analytics")
	l.Deny("withdrawn", "analytics", "consent.withdrawn.analytics")
	l.Deny("withdrawn", "activation", "consent.marketing=false")

	send("twice")
	send("twice")
	l.Authorize("twice", "analytics")
	l.Authorize("twice", "analytics")
	l.Authorize("twice", "activation")
	l.Authorize("twice", "activation")
	l.Authorize("twice", "activation")
	l.Deliver("twice", "analytics", 2)
	l.Totals("analytics", SinkTotals{Rows: 4, Delivered: 4, DeniedAtExport: 1})
	return l
}

func TestHealthyBooksClose(t *testing.T) {
	books := healthy().Compute()
	assert.True(t, books.Balanced())
	assert.True(t, books.Drained())
	row, ok := books.Row("analytics")
	require.True(t, ok)
	assert.Equal(t, Row{
		Destination: "analytics", CountedTo: "sink", Topic: "events.authorized.analytics",
		Accepted: 6, Delivered: 3, Denied: 2, Quarantined: 1, Duplicates: 1,
		Reasons: map[string]int{"consent.analytics=false": 1, "consent.withdrawn.analytics": 1},
		Codes:   map[string]int{"event.syntax": 1},
	}, *row)
	row, ok = books.Row("activation")
	require.True(t, ok)
	assert.Equal(t, Row{
		Destination: "activation", CountedTo: "topic", Topic: "events.authorized.activation",
		Accepted: 6, Delivered: 2, Denied: 2, Quarantined: 1, Suppressed: 1, Duplicates: 1, Repeated: 1,
		Reasons: map[string]int{"consent.analytics=false": 1, "consent.marketing=false": 1, "suppressed": 1},
		Codes:   map[string]int{"event.syntax": 1},
	}, *row)
	_, ok = books.Row("elsewhere")
	assert.False(t, ok)
}

func TestEveryFaultUnbalancesTheBooks(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(l *Ledger)
		kind  ProblemKind
		at    string
	}{
		"an event vanishes":                     {func(l *Ledger) { l.Accept("gone") }, Lost, "analytics"},
		"authorized, never inserted":            {func(l *Ledger) { l.Accept("gone"); l.Authorize("gone", "analytics"); l.Deny("gone", "activation", "x") }, Lost, "analytics"},
		"inserted twice":                        {func(l *Ledger) { l.Deliver("delivered", "analytics", 1) }, Twice, "analytics"},
		"three rows of two copies":              {func(l *Ledger) { l.Deliver("twice", "analytics", 1) }, Twice, "analytics"},
		"denied and delivered":                  {func(l *Ledger) { l.Deny("delivered", "analytics", "consent.analytics=false") }, Conflict, "analytics"},
		"denied and on the topic":               {func(l *Ledger) { l.Deny("delivered", "activation", "consent.marketing=false") }, Conflict, "activation"},
		"quarantined and delivered":             {func(l *Ledger) { l.Quarantine("delivered", Everywhere, "contract.type") }, Conflict, "analytics"},
		"quarantined and denied":                {func(l *Ledger) { l.Quarantine("denied", Everywhere, "contract.type") }, Conflict, "activation"},
		"delivered past the topic":              {func(l *Ledger) { l.Deliver("denied", "analytics", 1) }, Unauthorized, "analytics"},
		"delivered, never accepted":             {func(l *Ledger) { l.Deliver("forged", "analytics", 1) }, Unknown, "analytics"},
		"authorized, never accepted":            {func(l *Ledger) { l.Authorize("forged", "activation") }, Unknown, "activation"},
		"quarantined, never accepted":           {func(l *Ledger) { l.Quarantine("forged", Everywhere, "x") }, Unknown, "analytics"},
		"the sink inserted more than it holds":  {func(l *Ledger) { l.Totals("analytics", SinkTotals{Rows: 4, Delivered: 5, DeniedAtExport: 1}) }, SinkBooks, "analytics"},
		"the table holds more than was counted": {func(l *Ledger) { l.Totals("analytics", SinkTotals{Rows: 5, Delivered: 5, DeniedAtExport: 1}) }, SinkBooks, "analytics"},
		"the sink forgot a record it held back": {func(l *Ledger) { l.Totals("analytics", SinkTotals{Rows: 4, Delivered: 4}) }, SinkBooks, "analytics"},
		"a copy on the topic nobody recognised": {func(l *Ledger) { l.Authorize("delivered", "analytics") }, SinkBooks, "analytics"},
		"two faults that cancel out in the sums": {func(l *Ledger) {
			l.Accept("gone")
			l.Deny("gone", "activation", "x")
			l.Deliver("forged", "analytics", 1)
		}, Unknown, "analytics"},
	} {
		t.Run(name, func(t *testing.T) {
			l := healthy()
			c.fault(l)
			books := l.Compute()
			assert.False(t, books.Balanced())
			row, _ := books.Row(c.at)
			assert.False(t, row.Balanced())
			var kinds []ProblemKind
			for _, p := range row.Problems {
				kinds = append(kinds, p.Kind)
				assert.Positive(t, p.Events)
				assert.NotEmpty(t, p.Examples)
			}
			assert.Contains(t, kinds, c.kind)
		})
	}
}

func TestBooksOfNothingProveNothing(t *testing.T) {
	assert.False(t, NewLedger().Compute().Balanced())
	assert.False(t, (&Books{Rows: []Row{{}}, Leaks: []Leak{{}}}).Balanced())
	assert.True(t, (&Books{Rows: []Row{{}}}).Balanced())
}

func TestWaitingIsNotLost(t *testing.T) {
	l := NewLedger(both...)
	l.Accept("new")
	l.Wait("new", Everywhere)
	l.Accept("half way")
	l.Authorize("half way", "analytics")
	l.Wait("half way", "analytics")
	l.Deny("half way", "activation", "consent.marketing=false")
	books := l.Compute()
	assert.True(t, books.Balanced())
	assert.False(t, books.Drained())
	assert.Equal(t, 2, books.Rows[0].Waiting)
	assert.Equal(t, 1, books.Rows[1].Waiting)

	l.Deny("new", Everywhere, "consent.missing")
	l.Deliver("half way", "analytics", 1)
	assert.True(t, l.Compute().Drained(), "an end weighs more than waiting")
}

// A client that sends an id again with other content may get two different ends for it.
func TestCopiesMayDiffer(t *testing.T) {
	l := NewLedger(both[0])
	l.Accept("id")
	l.Accept("id")
	l.Authorize("id", "analytics")
	l.Deliver("id", "analytics", 1)
	l.Quarantine("id", Everywhere, "contract.type")
	assert.True(t, l.Compute().Balanced())
	l.Deny("id", "analytics", "consent.missing")
	assert.False(t, l.Compute().Balanced(), "three ends of two copies")
}

func TestOrderDoesNotMatter(t *testing.T) {
	l := NewLedger(both[0])
	l.Deliver("late", "analytics", 1)
	l.Authorize("late", "analytics")
	assert.False(t, l.Compute().Balanced())
	l.Accept("late")
	assert.True(t, l.Compute().Balanced())
}

func TestDirectLaneNeedsNoTopic(t *testing.T) {
	l := NewLedger(Destination{Name: "analytics"})
	l.Accept("a")
	l.Deliver("a", "analytics", 1)
	l.Deny("a", "not in the books", "x")
	l.Totals("not in the books", SinkTotals{Rows: 9})
	l.Authorize("a", "not in the books")
	assert.True(t, l.Compute().Balanced())
}

func TestProblemsNameTheFirstIDs(t *testing.T) {
	l := NewLedger(both[0])
	for i := range 20 {
		l.Accept(fmt.Sprintf("id-%02d", i))
	}
	row := l.Compute().Rows[0]
	assert.Equal(t, 20, row.Balance)
	assert.Equal(t, []Problem{{Lost, 20, []string{"id-00", "id-01", "id-02", "id-03", "id-04"}}}, row.Problems)
}

// Any set of correct histories balances; taking one end away, or adding one, never does.
func TestBalanceHoldsExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ends := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 40).Draw(t, "ends")
		spoiled := rapid.IntRange(0, len(ends)-1).Draw(t, "spoiled")
		for _, spoil := range []string{"", "drop", "add"} {
			l := NewLedger(both[0])
			for i, end := range ends {
				id := fmt.Sprint(i)
				l.Accept(id)
				if i == spoiled && spoil == "drop" {
					continue
				}
				finish(l, id, end)
				if i == spoiled && spoil == "add" {
					finish(l, id, (end+1)%3)
					finish(l, id, (end+2)%3)
				}
			}
			assert.Equal(t, spoil == "", l.Compute().Balanced(), spoil)
		}
	})
}

func finish(l *Ledger, id string, end int) {
	switch end {
	case 0:
		l.Authorize(id, "analytics")
		l.Deliver(id, "analytics", 1)
	case 1:
		l.Quarantine(id, Everywhere, "event.syntax")
	case 2:
		l.Deny(id, "analytics", "consent.missing")
	default:
		l.Deny(id, Everywhere, "erased")
	}
}

func TestBooksAsJSON(t *testing.T) {
	out, err := json.Marshal(healthy().Compute())
	require.NoError(t, err)
	var back Books
	require.NoError(t, json.Unmarshal(out, &back))
	assert.True(t, back.Balanced())
}

// A hop that died before it could say that it had judged an event judges it again. What it denies then for what was said meanwhile
// was given all the same; what it denies for another reason must not have been.
func TestWhatWasGivenBeforeAWithdrawalIsDelivered(t *testing.T) {
	close := func(reason string) *Row {
		l := NewLedger(both...)
		l.Accept("e")
		l.Authorize("e", "activation")
		l.Deny("e", "activation", reason)
		l.Deny("e", "analytics", reason)
		row, _ := l.Compute().Row("activation")
		return row
	}
	for _, reason := range []string{"consent.withdrawn.marketing", "suppressed", "erased"} {
		row := close(reason)
		assert.True(t, row.Balanced(), reason)
		assert.Equal(t, []int{1, 0, 1}, []int{row.Delivered, row.Denied, row.Rejudged}, reason)
	}
	assert.False(t, close("consent.marketing=false").Balanced())
}
