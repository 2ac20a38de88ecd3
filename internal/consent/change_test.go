package consent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func second(n int) time.Time { return time.Unix(int64(n), 0).UTC() }

func TestAChoiceChangesWhatItNamesAndNothingElse(t *testing.T) {
	var none *Record
	first, changed := none.With(Choice{Purposes: map[string]bool{"analytics": true, "marketing": true}, Source: "web_app", At: second(10)})
	require.True(t, changed)
	assert.Equal(t, `{"version":1,"purposes":{"analytics":true,"marketing":true},"source":"web_app","changed_at":"1970-01-01T00:00:10Z"}`, string(first.Append(nil)))

	then, changed := first.With(Choice{Purposes: map[string]bool{"marketing": false}, Source: "desk", At: second(20)})
	require.True(t, changed)
	text := string(then.Append(nil))
	assert.Equal(t, `{"version":2,"purposes":{"analytics":true,"marketing":false},"source":"desk","changed_at":"1970-01-01T00:00:20Z","stated_at":{"analytics":"1970-01-01T00:00:10Z"}}`, text)
	assert.Equal(t, text, string(ParseRecord([]byte(text)).Append(nil)), "what is written is what is read")

	for name, c := range map[string]Choice{
		"a repeat":                       {Purposes: map[string]bool{"marketing": false}, Source: "desk", At: second(20)},
		"an older grant":                 {Purposes: map[string]bool{"marketing": true}, Source: "web_app", At: second(15)},
		"a grant at the moment":          {Purposes: map[string]bool{"marketing": true}, Source: "web_app", At: second(20)},
		"an older one of something else": {Purposes: map[string]bool{"analytics": false}, Source: "web_app", At: second(9)},
		"nothing":                        {Source: "web_app", At: second(30)},
	} {
		same, changed := then.With(c)
		assert.False(t, changed, name)
		assert.Same(t, then, same, name)
	}
	late, changed := then.With(Choice{Purposes: map[string]bool{"analytics": false}, Source: "web_app", At: second(15)})
	require.True(t, changed, "a withdrawal that comes late is newer than what stands about its purpose")
	assert.Equal(t, map[string]bool{"analytics": false, "marketing": false}, late.Purposes)
	assert.Equal(t, second(20), late.ChangedAt)
}

func TestAnUnreadableRecordStays(t *testing.T) {
	rec := &Record{Unreadable: true}
	_, changed := rec.With(Choice{Purposes: map[string]bool{"analytics": true}, Source: "web_app", At: second(1)})
	assert.False(t, changed)
	sup := &Suppression{Unreadable: true}
	_, changed = sup.With(Suppression{Lifted: true, ChangedAt: second(1)})
	assert.False(t, changed)
	assert.True(t, ParseRecord([]byte(`{"version":1,"purposes":{},"stated_at":{"a":1}}`)).Unreadable)
}

// Choices and suppressions arrive in any order and several times; what is left says the same.
func TestTheOrderOfArrivalChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		choices := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Choice {
			return Choice{Purposes: rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.Bool(), 1, 3).Draw(t, "purposes"), Source: "s", At: second(rapid.IntRange(1, 4).Draw(t, "at"))}
		}), 1, 6).Draw(t, "choices")
		var ahead, shuffled *Record
		for _, c := range choices {
			ahead, _ = ahead.With(c)
		}
		for _, c := range append(rapid.Permutation(choices).Draw(t, "order"), choices...) {
			shuffled, _ = shuffled.With(c)
		}
		require.Equal(t, ahead.Purposes, shuffled.Purposes)
		for name := range ahead.Purposes {
			require.Equal(t, ahead.Stated(name), shuffled.Stated(name))
		}
	})
}

func TestSuppressionsComeInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Suppression {
			return Suppression{Lifted: rapid.Bool().Draw(t, "lifted"), ChangedAt: second(rapid.IntRange(1, 4).Draw(t, "at"))}
		}), 1, 6).Draw(t, "said")
		newest := said[0]
		for _, s := range said {
			if s.ChangedAt.After(newest.ChangedAt) || (s.ChangedAt.Equal(newest.ChangedAt) && !s.Lifted) {
				newest = s
			}
		}
		var s *Suppression
		for _, next := range append(rapid.Permutation(said).Draw(t, "order"), said...) {
			s, _ = s.With(next)
		}
		require.Equal(t, newest.Lifted, s.Lifted)
		require.Equal(t, newest.ChangedAt, s.ChangedAt)
	})
}

func TestChannelsAddUp(t *testing.T) {
	var none *Suppression
	email, _ := none.With(Suppression{Channels: []string{"email"}, Reason: "unsubscribe", ChangedAt: second(5)})
	both, changed := email.With(Suppression{Channels: []string{"sms"}, Reason: "hard_bounce", ChangedAt: second(3)})
	require.True(t, changed, "an older one still widens")
	assert.Equal(t, &Suppression{Version: 2, Channels: []string{"email", "sms"}, Reason: "unsubscribe", ChangedAt: second(5)}, both)
	_, changed = both.With(Suppression{Channels: []string{"email"}, ChangedAt: second(5)})
	assert.False(t, changed, "a repeat")
	all, _ := both.With(Suppression{ChangedAt: second(6)})
	assert.Empty(t, all.Channels, "none means all")
	still, _ := all.With(Suppression{Channels: []string{"email"}, ChangedAt: second(7)})
	assert.Empty(t, still.Channels, "one channel does not narrow all")
	lifted, _ := all.With(Suppression{Lifted: true, ChangedAt: second(8)})
	again, _ := lifted.With(Suppression{Channels: []string{"email"}, ChangedAt: second(9)})
	assert.Equal(t, []string{"email"}, again.Channels)
}
