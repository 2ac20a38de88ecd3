package generate

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
)

func collect(t testing.TB, opts Options) ([]Event, *Generator) {
	t.Helper()
	require.NotZero(t, opts.Count)
	g := New(opts)
	var out []Event
	for {
		ev, ok := g.Next(nil)
		if !ok {
			return out, g
		}
		out = append(out, ev)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		share := rapid.Float64Range(0, 1)
		opts := Options{
			Seed: rapid.Uint64().Draw(rt, "seed"), Count: rapid.IntRange(1, 60).Draw(rt, "count"), Users: rapid.IntRange(1, 20).Draw(rt, "users"),
			BadShare: share.Draw(rt, "bad"), MissingConsentShare: share.Draw(rt, "missing"), WithdrawnShare: share.Draw(rt, "withdrawn"),
			RepeatShare: share.Draw(rt, "repeat"), CanaryEvery: rapid.IntRange(0, 5).Draw(rt, "canary"),
		}
		first, one := collect(t, opts)
		again, two := collect(t, opts)
		assert.Equal(rt, first, again)
		assert.Equal(rt, one.Canaries(), two.Canaries())
		assert.Equal(rt, one.Statements(), two.Statements())
	})
}

// The bytes are pinned: a change here changes every published figure that names a seed.
func TestBytesArePinned(t *testing.T) {
	events, _ := collect(t, Options{Seed: 1, Count: 3, CanaryEvery: 3})
	var all []string
	for _, ev := range events {
		all = append(all, string(ev.Bytes))
	}
	golden(t, "seed1.ndjson", strings.Join(all, "\n")+"\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestSeedsDiffer(t *testing.T) {
	one, _ := collect(t, Options{Seed: 1, Count: 200})
	two, _ := collect(t, Options{Seed: 2, Count: 200})
	seen := map[string]bool{}
	for _, ev := range append(one, two...) {
		assert.False(t, seen[ev.ID], "an id occurs twice")
		seen[ev.ID] = true
		assert.Regexp(t, `^evt_[0-9a-v]{26}$`, ev.ID)
	}
}

// judge says what validation makes of an event: the first code, or nothing.
type judge struct {
	scanner   *event.Scanner
	contracts *contract.Set
	dict      *event.Dictionary
	index     event.Index
	now       time.Time
}

func newJudge(t testing.TB, now time.Time) *judge {
	t.Helper()
	set, err := contract.Load(os.DirFS("../../pipelines"), "contracts")
	require.NoError(t, err)
	dict, err := event.NewDictionary(append(set.Paths(), "consent.analytics", "consent.marketing")...)
	require.NoError(t, err)
	return &judge{
		scanner: event.NewScanner(dict, event.DefaultLimits), contracts: set.Bind(dict), dict: dict, now: now,
	}
}

func (j *judge) code(t testing.TB, body []byte) string {
	t.Helper()
	if err := j.scanner.Scan(body, &j.index); err != nil {
		fault, ok := event.AsFault(err)
		require.True(t, ok, "the scanner gave %v", err)
		return fault.Code
	}
	if fault := event.CheckEnvelope(&j.index, j.now, event.DefaultTimeLimits); fault != nil {
		return fault.Code
	}
	agreed, fault := j.contracts.For(&j.index)
	if fault != nil {
		return fault.Code
	}
	var result contract.Result
	agreed.Check(&j.index, &result)
	if len(result.Faults) > 0 {
		return result.Faults[0].Code
	}
	assert.Empty(t, result.Remove, "a generated event has only declared properties")
	for _, path := range [...]string{"consent.analytics", "consent.marketing"} {
		if value, ok := j.index.Get(j.dict.Field(path)); ok && value.Kind() != event.True && value.Kind() != event.False {
			return "consent.type"
		}
	}
	return ""
}

func TestLabelsAreTrue(t *testing.T) {
	opts := Options{
		Seed: 7, Count: 20_000, BadShare: 0.5, CanaryEvery: 10, MissingConsentShare: 0.1, WithdrawnShare: 0.2,
		Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
	}
	events, _ := collect(t, opts)
	j := newJudge(t, opts.Start.Add(opts.Span))
	flawsSeen, names := map[string]int{}, map[string]int{}
	for _, ev := range events {
		got := j.code(t, ev.Bytes)
		if !assert.Equal(t, ev.Expect.Code, got, "%s, flaw %q", ev.Name, ev.Expect.Flaw) {
			t.Logf("%.3000s", ev.Bytes)
			t.FailNow()
		}
		assert.NotContains(t, string(ev.Bytes), "\n", "an event is one line")
		if ev.Kind == Flawed {
			flawsSeen[ev.Expect.Flaw]++
			continue
		}
		names[ev.Name]++
		id, ok := j.index.Get(event.EventID)
		require.True(t, ok)
		assert.Equal(t, ev.ID, id.String())
	}
	for _, f := range flaws {
		assert.NotZero(t, flawsSeen[f.name], "flaw %q never occurs", f.name)
	}
	// Providers and SDKs send these, and mappings make them.
	byOthers := []string{
		"identify", "group", "alias", "segment_consent_preference_updated",
		"github_activity", "billing_activity", "email_activity", "order_placed", "store_activity", "slack_activity",
	}
	for _, c := range j.contracts.All() {
		if !slices.Contains(byOthers, c.Event) {
			assert.NotZero(t, names[c.Event], "event %s never occurs", c.Event)
		}
	}
}

// Claims, ids and storage purposes in the labels are what the bytes and the contracts say.
func TestDescriptionsAreTrue(t *testing.T) {
	opts := Options{Seed: 3, Count: 5000, WithdrawnShare: 0.3, MissingConsentShare: 0.1}
	events, _ := collect(t, opts)
	j := newJudge(t, opts.withDefaults().Start)
	for _, ev := range events {
		require.NoError(t, j.scanner.Scan(ev.Bytes, &j.index))
		for path, want := range map[string]Answer{"consent.analytics": ev.Expect.Claim.Analytics, "consent.marketing": ev.Expect.Claim.Marketing} {
			got := Missing
			if value, ok := j.index.Get(j.dict.Field(path)); ok {
				require.Contains(t, []event.Kind{event.True, event.False}, value.Kind())
				got = answer(value.Bool())
			}
			assert.Equal(t, want, got, path)
		}
		assert.Equal(t, ev.Expect.Claim.Absent, !has(j, event.Consent))
		assert.Equal(t, ev.Subject.UserID != "", has(j, event.UserID))
		assert.Equal(t, ev.Subject.AnonymousID != "", has(j, event.AnonymousID))
		agreed, fault := j.contracts.For(&j.index)
		require.Nil(t, fault)
		storage := agreed.Class.Storage
		if storage == "none" {
			storage = ""
		}
		assert.Equal(t, storage, ev.Expect.Storage, ev.Name)
	}
}

func has(j *judge, f event.Field) bool {
	_, ok := j.index.Get(f)
	return ok
}

func TestSharesAreKept(t *testing.T) {
	const n = 20_000
	opts := Options{Seed: 5, Count: n, Users: 2000, BadShare: 0.05, MissingConsentShare: 0.1, WithdrawnShare: 0.2, RepeatShare: 0.03, CanaryEvery: 50}
	events, g := collect(t, opts)
	require.Len(t, events, n)
	kinds, absent := map[Kind]int{}, 0
	for i, ev := range events {
		kinds[ev.Kind]++
		if ev.Expect.Claim.Absent {
			absent++
		}
		if i > 0 && ev.Kind == Repeat {
			assert.Equal(t, events[i-1].Bytes, ev.Bytes)
			assert.Equal(t, events[i-1].ID, ev.ID)
		}
	}
	near := func(want float64, got int, of int, what string) {
		assert.Less(t, math.Abs(want-float64(got)/float64(of)), 0.01, what)
	}
	near(0.05, kinds[Flawed], n, "bad")
	near(0.1, absent, n, "missing consent")
	near(0.03, kinds[Repeat], n, "repeats")
	assert.Less(t, math.Abs(0.2-float64(len(g.Statements()))/2000), 0.03, "withdrawn")
	assert.GreaterOrEqual(t, len(g.Canaries()), 2*n/50*9/10)
}

func TestCanariesAreUniqueAndPlanted(t *testing.T) {
	g := New(Options{Seed: 9, Count: 3000, CanaryEvery: 2})
	seen, fields := map[string]bool{}, map[string]int{}
	for known := 0; ; known = len(g.Canaries()) {
		ev, ok := g.Next(nil)
		if !ok {
			break
		}
		for _, c := range g.Canaries()[known:] {
			assert.False(t, seen[c.Value], "canary %s occurs twice", c.Value)
			seen[c.Value] = true
			fields[c.Field]++
			assert.GreaterOrEqual(t, len(c.Value), 8)
			require.Equal(t, 1, strings.Count(string(ev.Bytes), c.Value), c.Value)
		}
	}
	for _, field := range []string{
		"context.ip", "context.user_agent", "properties.email", "properties.phone", "properties.full_name", "properties.message",
		"properties.invitee_email", "properties.billing_email", "properties.iban", "properties.comment", "properties.search_query",
	} {
		assert.NotZero(t, fields[field], field)
	}
}

func TestDenied(t *testing.T) {
	yes := Claim{Analytics: Yes, Marketing: Yes}
	for name, c := range map[string]struct {
		expect           Expect
		purpose          string
		reason, reasonIn string
	}{
		"held":                    {Expect{Claim: yes}, Analytics, "", ""},
		"absent":                  {Expect{Claim: Claim{Absent: true}}, Analytics, "consent.missing", "consent.missing"},
		"refused":                 {Expect{Claim: Claim{Analytics: Yes, Marketing: No}}, Marketing, "consent.marketing=false", "consent.marketing=false"},
		"not said":                {Expect{Claim: Claim{Analytics: Yes}}, Marketing, "consent.marketing=missing", "consent.marketing=missing"},
		"storage refused":         {Expect{Claim: Claim{Analytics: No, Marketing: Yes}, Storage: Analytics}, Marketing, "consent.analytics=false", "consent.analytics=false"},
		"withdrawn later":         {Expect{Claim: yes, Withdrawn: []string{Marketing}}, Marketing, "", "consent.withdrawn.marketing"},
		"withdrawn for another":   {Expect{Claim: yes, Withdrawn: []string{Marketing}}, Analytics, "", ""},
		"storage withdrawn later": {Expect{Claim: yes, Storage: Marketing, Withdrawn: []string{Marketing}}, Analytics, "", "consent.withdrawn.marketing"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.reason, c.expect.Denied(c.purpose))
			assert.Equal(t, c.reasonIn, c.expect.DeniedNow(c.purpose))
			assert.True(t, c.expect.Accepted())
		})
	}
}

// Who withdraws claims less from that moment on, and the statement says so.
func TestWithdrawalShowsInLaterEvents(t *testing.T) {
	events, g := collect(t, Options{Seed: 11, Count: 20_000, Users: 200, WithdrawnShare: 0.5})
	when := map[string]Statement{}
	for _, s := range g.Statements() {
		when[s.Subject.UserID] = s
		assert.False(t, s.Purposes[Marketing])
	}
	before, after := 0, 0
	for _, ev := range events {
		s, ok := when[ev.Subject.UserID]
		if !ok {
			continue
		}
		if ev.Time.Before(s.ChangedAt) {
			before++
			continue
		}
		after++
		assert.Equal(t, No, ev.Expect.Claim.Marketing)
		assert.Contains(t, ev.Expect.Withdrawn, Marketing)
	}
	assert.Positive(t, before)
	assert.Positive(t, after)
}

func TestNextAppends(t *testing.T) {
	g := New(Options{Count: 1, BadShare: 1})
	ev, ok := g.Next([]byte("kept "))
	require.True(t, ok)
	assert.True(t, bytes.HasPrefix(ev.Bytes, []byte("kept ")))
	end, ok := g.Next([]byte("kept"))
	assert.False(t, ok)
	assert.Equal(t, "kept", string(end.Bytes))
}

func TestKindNames(t *testing.T) {
	assert.Equal(t, "journey repeat flawed", fmt.Sprint(Journey, Repeat, Flawed))
}

func BenchmarkNext(b *testing.B) {
	g := New(Options{Seed: 1, BadShare: 0.02, CanaryEvery: 1000, Users: 100_000})
	buf := make([]byte, 0, 4096)
	var size int64
	b.ReportAllocs()
	for b.Loop() {
		ev, _ := g.Next(buf[:0])
		size += int64(len(ev.Bytes))
	}
	b.ReportMetric(float64(size)/float64(b.N), "B/event")
}
