package identity

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func record(version int64, removed bool) []byte {
	return (&Link{Version: version, Removed: removed, Source: "web_app", ChangedAt: time.UnixMilli(version)}).Append(nil)
}

func key(t require.TestingT, a, b string) string {
	p, ok := MakePair(a, b)
	require.True(t, ok)
	return p.Key()
}

// The naive model: the newest record of each pair, and everything that can be walked to.
func walk(records map[Pair]Link, from string) []string {
	seen := map[string]bool{from: true}
	for grown := true; grown; {
		grown = false
		for p, l := range records {
			if !l.Removed && seen[p.A] != seen[p.B] {
				seen[p.A], seen[p.B], grown = true, true, true
			}
		}
	}
	var reached []string
	for k := range seen {
		if k != from {
			reached = append(reached, k)
		}
	}
	slices.Sort(reached)
	return reached
}

func TestReachIsWhatCanBeWalkedTo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"})
		model, versions := map[Pair]Link{}, map[Pair]map[int64]bool{}
		type write struct {
			key   string
			value []byte
		}
		var writes []write
		for range rapid.IntRange(0, 25).Draw(t, "records") {
			p, ok := MakePair(names.Draw(t, "one"), names.Draw(t, "other"))
			if !ok {
				continue
			}
			l := Link{Version: int64(rapid.IntRange(0, 50).Draw(t, "version")), Removed: rapid.Bool().Draw(t, "removed")}
			if versions[p] == nil {
				versions[p] = map[int64]bool{}
			}
			if versions[p][l.Version] {
				continue // of two with one version the later counts, which is an order
			}
			versions[p][l.Version] = true
			if held, ok := model[p]; !ok || l.Version > held.Version {
				model[p] = l
			}
			writes = append(writes, write{p.Key(), l.Append(nil)})
		}
		g := NewGraph()
		for _, w := range rapid.Permutation(writes).Draw(t, "order") {
			g.Apply(w.key, w.value)
		}
		for _, from := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "z"} {
			got, ok := g.Reach(from, []string{"kept"})
			require.True(t, ok)
			require.Equal(t, "kept", got[0])
			got = got[1:]
			slices.Sort(got)
			require.Equal(t, walk(model, from), slices.Clip(append([]string(nil), got...)))
		}
	})
}

func TestMoreThanTheLimitCannotBeResolved(t *testing.T) {
	for name, pair := range map[string]func(i int) string{
		"a chain": func(i int) string { return key(t, fmt.Sprint("k", i), fmt.Sprint("k", i+1)) },
		"a star":  func(i int) string { return key(t, "k0", fmt.Sprint("k", i+1)) },
	} {
		t.Run(name, func(t *testing.T) {
			g := NewGraph()
			for i := range Limit - 1 {
				g.Apply(pair(i), record(1, false))
			}
			reached, ok := g.Reach("k0", nil)
			require.True(t, ok)
			require.Len(t, reached, Limit-1)
			g.Apply(pair(Limit-1), record(1, false))
			for _, k := range []string{"k0", "k100", fmt.Sprint("k", Limit)} {
				reached, ok = g.Reach(k, nil)
				require.False(t, ok)
				require.Empty(t, reached)
			}
			g.Apply(pair(Limit-1), record(2, true))
			_, ok = g.Reach("k0", nil)
			require.True(t, ok, "a link that is taken back mends it")
		})
	}
}

func TestWhatCannotBeReadLinks(t *testing.T) {
	for name, value := range map[string][]byte{
		"no value": nil, "no JSON": []byte("?"), "no version": []byte(`{"removed":true}`), "a version below zero": []byte(`{"version":-1,"removed":true}`),
		"no boolean": []byte(`{"version":9,"removed":"true"}`), "a name twice": []byte(`{"version":9,"removed":true,"removed":true}`),
		"another case": []byte(`{"version":9,"Removed":true}`),
	} {
		t.Run(name, func(t *testing.T) {
			g := NewGraph()
			g.Apply("a,b", record(5, true))
			g.Apply("a,b", value)
			reached, ok := g.Reach("a", nil)
			require.True(t, ok)
			require.Equal(t, []string{"b"}, reached)
		})
	}
	for _, key := range []string{"b,a", "a,a", "a", "a,", ",a", "a,b,c"} {
		g := NewGraph()
		g.Apply("a,x", record(1, false))
		g.Apply(key, record(1, false))
		_, ok := g.Reach("a", nil)
		require.False(t, ok, "nobody knows whom the key %q links", key)
		_, ok = g.Reach("x", nil)
		require.False(t, ok)
	}
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	l := At(time.Date(2026, 11, 1, 9, 0, 0, 123e6, time.UTC), "web_app")
	require.JSONEq(t, `{"version":1793523600123,"source":"web_app","changed_at":"2026-11-01T09:00:00.123Z"}`, string(l.Append(nil)))
	got, ok := ParseLink(l.Append(nil))
	require.True(t, ok)
	require.Equal(t, l, got)
}
