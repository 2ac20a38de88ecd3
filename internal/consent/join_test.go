package consent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// However identifiers are grouped, nothing more is held than where every state is judged by itself.
func TestJudgingWhatIsJoinedIsJudgingAll(t *testing.T) {
	p, err := NewPurposes("analytics", "marketing")
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		var states []State
		for i := range rapid.IntRange(0, 5).Draw(t, "states") {
			var s State
			if rapid.Bool().Draw(t, "recorded") {
				s.Consent = &Record{Version: int64(i + 1), Purposes: map[string]bool{}, Unreadable: rapid.IntRange(0, 5).Draw(t, "unreadable") == 0}
				for _, name := range p.Names() {
					if rapid.Bool().Draw(t, "stated") {
						s.Consent.Purposes[name] = rapid.Bool().Draw(t, "given")
					}
				}
			}
			if rapid.Bool().Draw(t, "suppression") {
				s.Suppressed = &Suppression{Lifted: rapid.Bool().Draw(t, "lifted")}
			}
			if rapid.IntRange(0, 4).Draw(t, "erasure") == 0 {
				s.Erased = &Erasure{}
			}
			s.Unresolved = rapid.IntRange(0, 5).Draw(t, "unresolved") == 0
			states = append(states, s)
		}
		bits := Mask(rapid.IntRange(0, 3).Draw(t, "claim"))
		claim := Claim{Present: bits != 0, Stated: bits, Given: bits, LookupOnly: rapid.Bool().Draw(t, "lookup")}
		cut := rapid.IntRange(0, len(states)).Draw(t, "cut")
		now := time.Now()
		apart, joined := Judge(p, claim, states, now), Judge(p, claim, []State{Join(states[:cut]), Join(states[cut:])}, now)
		require.Equal(t, apart.Held, joined.Held)
		require.Equal(t, apart.Withdrawn, joined.Withdrawn)
		require.Equal(t, apart.Suppressed, joined.Suppressed)
		require.Equal(t, apart.Erased, joined.Erased)
		require.Equal(t, apart.Unresolved, joined.Unresolved)
		require.Equal(t, apart.Missing, joined.Missing)
		require.Equal(t, apart.Unreadable, joined.Unreadable)
		require.Equal(t, apart.Version, joined.Version)
		for _, need := range []Mask{0, 1, 2, 3} {
			require.Equal(t, apart.Holds(need), joined.Holds(need))
		}
	})
}

func TestWhoCannotBeResolvedHasConsentedToNothing(t *testing.T) {
	p, err := NewPurposes("analytics")
	require.NoError(t, err)
	v := Judge(p, Claim{Present: true, Stated: 1, Given: 1}, []State{{Unresolved: true}}, time.Now())
	require.False(t, v.Holds(0), "not even what needs no consent: the subject may be erased")
	require.False(t, v.Holds(1))
	require.Equal(t, ReasonUnresolved, v.Reason(1))
}
