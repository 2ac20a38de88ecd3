package corpus

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
)

var update = flag.Bool("update", false, "write bypass.jsonl from the tables")

func encode(t *testing.T, cases []Case) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for _, c := range cases {
		l := line{Name: c.Name, Raw: string(c.Raw), Want: c.Want}
		if !utf8.Valid(c.Raw) {
			l.Raw, l.Base64 = base64.StdEncoding.EncodeToString(c.Raw), true
		}
		require.NoError(t, encoder.Encode(l))
	}
	return out.Bytes()
}

func TestCorpusIsWhatTheTablesSay(t *testing.T) {
	built := build()
	slices.SortStableFunc(built, func(a, b Case) int { return cmp.Compare(a.Name, b.Name) })
	for i, c := range built[1:] {
		require.NotEqual(t, built[i].Name, c.Name)
	}
	stored := encode(t, built)
	if *update {
		require.NoError(t, os.WriteFile("bypass.jsonl", stored, 0o644))
		return
	}
	require.Equal(t, string(bypass), string(stored), "run go test ./tests/corpus -update and read the difference")
}

func TestEveryCaseGetsItsVerdict(t *testing.T) {
	cases, err := Cases()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(cases), 300)
	dict, err := event.NewDictionary(GovernedPaths...)
	require.NoError(t, err)
	scanner := event.NewScanner(dict, event.Limits{})
	for _, c := range cases {
		var ix event.Index
		got := "ok"
		if err := scanner.Scan(c.Raw, &ix); err != nil {
			fault, ok := event.AsFault(err)
			require.True(t, ok, c.Name)
			got = fault.Code
		}
		if got != c.Want {
			t.Errorf("%s: got %s, want %s", c.Name, got, c.Want)
		}
		if got == "ok" {
			require.True(t, json.Valid(c.Raw), c.Name)
		}
	}
}
