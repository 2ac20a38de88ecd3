package event_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
)

var allocatingNothing = map[string]string{
	"marketing event": marketingEvent,
	"many names":      names(500),
	"escapes":         `{"properties":{"\u0065mail":"a\u0062c","größe":1,"naïve":"x","a.b":1,"\u0061.c":2,"d-e":3}}`,
	"deep":            nested(32, `{"x":`, `}`),
}

func TestScanAllocatesNothing(t *testing.T) {
	scanner := event.NewScanner(newTestDictionary(t), event.Limits{})
	now := time.Date(2026, 4, 13, 10, 0, 0, 0, time.UTC)
	for name, raw := range allocatingNothing {
		buf, out := []byte(raw), []byte(nil)
		var ix event.Index
		require.Zero(t, testing.AllocsPerRun(20, func() {
			if err := scanner.Scan(buf, &ix); err != nil {
				t.Fatal(err)
			}
			event.CheckEnvelope(&ix, now, event.TimeLimits{})
			out = event.AppendValue(out[:0], ix.Root())
		}), name)
	}
}

func TestArenaAllocatesNextToNothing(t *testing.T) {
	scanner := event.NewScanner(newTestDictionary(t), event.Limits{})
	buf := []byte(marketingEvent)
	var arena event.Arena
	require.Less(t, testing.AllocsPerRun(10, func() {
		for range 1000 {
			if _, err := arena.Scan(scanner, buf); err != nil {
				t.Fatal(err)
			}
		}
	}), 100.0, "per 1,000 events")
}

// Indexes of one arena stand side by side: later events, larger ones and failures among them change no earlier one.
func TestArenaKeepsEveryIndex(t *testing.T) {
	scanner := event.NewScanner(newTestDictionary(t), event.Limits{})
	dense := `{"a":[` + strings.Repeat("1,", 20_000) + `1]}`
	var arena event.Arena
	var kept []*event.Index
	var expected [][]string
	for i := range 300 {
		raw := agreeingDocuments[i%len(agreeingDocuments)]
		if i%50 == 49 {
			raw = dense
		}
		ix, err := arena.Scan(scanner, []byte(raw))
		require.NoError(t, err)
		kept, expected = append(kept, ix), append(expected, linesOfTape(ix.Root(), "", nil))
		failed, err := arena.Scan(scanner, []byte(`{"properties":{"email":1,"x":[1,2,3`))
		require.Error(t, err)
		require.Nil(t, failed)
	}
	for i, ix := range kept {
		require.Equal(t, expected[i], linesOfTape(ix.Root(), "", nil))
		requireWellFormed(t, ix)
		require.Equal(t, len(ix.Nodes), cap(ix.Nodes))
	}
}

// A scanner is the same after any event: what one leaves behind, also a broken one, has no part in the next.
func TestScannerForgets(t *testing.T) {
	scanner := event.NewScanner(newTestDictionary(t), event.Limits{})
	var ix event.Index
	for range 3 {
		for _, raw := range []string{
			names(300), `{"properties":{"email":1,"n":{"email":2}}}`, `{"na":1,"email":2,"properties":{"email":[{"`,
			strings.TrimSuffix(names(300), "}"), `{"properties":{"email":1}}`, marketingEvent, `{"a":1}`,
		} {
			scanErr := scanner.Scan([]byte(raw), &ix)
			if scanErr == nil {
				requireWellFormed(t, &ix)
			}
			var fresh event.Index
			require.Equal(t, event.NewScanner(newTestDictionary(t), event.Limits{}).Scan([]byte(raw), &fresh), scanErr)
			require.Equal(t, fresh.Nodes, ix.Nodes)
		}
	}
}

// What the scanner has come to expect never decides: after any events, each one gets the verdict and the tape that a new
// scanner gives it, also where the expected name is a repetition, comes too late, or only almost stands there.
func TestExpectationsDecideNothing(t *testing.T) {
	events := []string{
		`{"properties":{"email":1,"plan":2,"key":3}}`,
		`{"properties":{"plan":1,"email":2}}`,
		`{"properties":{"email":1,"plan":2,"email":3}}`,
		`{"properties":{"email":1,"plan" :2,"key"` + "\n" + `:3}}`,
		`{"properties":{"email":1,"plaN":2}}`,
		`{"properties":{"email":1,"plan\"":2}}`,
		`{"properties":{"email":1,"pla\u006e":2,"plan":3}}`,
		`{"properties":{"email":1,"other":0,"plan":2,"other":3}}`,
		`{"properties":{"email":1,"items":[{"sku":1},{"sku":2},{"sku":3,"sku":4}]}}`,
		`{"properties":{"items":[{"sku":1},{"sku":2}],"email":1,"plan":2}}`,
		`{"email":1,"plan":2,"key":3,"properties":{}}`,
		`{"consent":{},"email":1}`,
		`{"x":{"email":1,"plan":2},"properties":{"user":{"email":1,"phone":2}}}`,
		`{"properties":{"email"`, `{"properties":{"email":1,"plan":`,
	}
	for _, limits := range []event.Limits{{}, {MaxKeys: 2}, {MaxKey: 4}, {MaxKey: 10}} {
		scanner := event.NewScanner(newTestDictionary(t), limits)
		for round := range 3 * len(events) {
			var ix, fresh event.Index
			for _, raw := range []string{events[round%len(events)], events[round*7%len(events)]} {
				err := scanner.Scan([]byte(raw), &ix)
				require.Equal(t, event.NewScanner(newTestDictionary(t), limits).Scan([]byte(raw), &fresh), err, raw)
				require.Equal(t, fresh.Nodes, ix.Nodes, raw)
			}
		}
	}
}

// Names made to be compared, hashed or normalised at length cost a small multiple of an honest event of the same size.
func TestHostileNamesCostLittle(t *testing.T) {
	scanner := event.NewScanner(newTestDictionary(t), event.Limits{})
	fill := func(name func(i int) string, wrap string) []byte {
		var b strings.Builder
		b.WriteString(`{"x":[0`)
		for i := 0; b.Len() < 900<<10; i++ {
			b.WriteString(`,{` + wrap)
			for j := range 500 {
				b.WriteString(`,"` + name(i*500+j) + `":1`)
			}
			b.WriteString("}")
		}
		return []byte(b.String() + "]}")
	}
	cost := func(buf []byte) time.Duration {
		best := time.Hour
		var ix event.Index
		for range 5 {
			start := time.Now()
			if err := scanner.Scan(buf, &ix); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	honest := cost(fill(func(i int) string { return fmt.Sprintf("name_%06d", i) }, `"y":0`))
	for kind, name := range map[string]func(int) string{
		"case": func(i int) string {
			letters := []byte("abcdefghijk")
			for bit := range letters {
				if i>>bit&1 == 1 {
					letters[bit] -= 0x20
				}
			}
			return string(letters)
		},
		"escapes": func(i int) string { return fmt.Sprintf(`\u00e9%06d`, i) },
		"beyond":  func(i int) string { return fmt.Sprintf("é%06d", i) },
	} {
		require.Less(t, cost(fill(name, `"y":0`)), 20*honest+20*time.Millisecond, kind)
	}
}

func TestDictionaryAndIndexAreShared(t *testing.T) {
	dict := newTestDictionary(t)
	shared := scan(t, marketingEvent)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			scanner := event.NewScanner(dict, event.Limits{})
			var ix event.Index
			for range 100 {
				if err := scanner.Scan([]byte(marketingEvent), &ix); err != nil {
					t.Error(err)
				}
				event.AppendValue(nil, shared.Root())
			}
		})
	}
	group.Wait()
}
