package staging

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/identity"
)

// What somebody says under one identifier empties the rows that are staged under another, whether the link or the word
// came first.
func TestWhatIsSaidUnderALinkedIdentifierReachesStagedRows(t *testing.T) {
	pair, ok := identity.MakePair(user(1), user(9))
	require.True(t, ok)
	tests := map[string]struct {
		state   consent.State
		changes []string // topic and key of what is read after that
	}{
		"a withdrawal after the link":  {withdrawn("marketing"), []string{"privacy.consent", user(9)}},
		"a link after the withdrawal":  {withdrawn("marketing"), []string{"identity.links", pair.Key()}},
		"an erasure after the link":    {consent.State{Erased: &consent.Erasure{RequestID: "req_9"}}, []string{"privacy.erasures", user(9)}},
		"a link after the erasure":     {consent.State{Erased: &consent.Erasure{RequestID: "req_9"}}, []string{"identity.links", pair.Key()}},
		"more links than one can have": {consent.State{Unresolved: true}, []string{"identity.links", pair.Key()}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			o := s.output(t)
			require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(0, 1), touched(1, 2))))
			s.link(user(1), user(9))
			s.set(user(9), test.state)
			require.NoError(t, o.WriteBatch(t.Context(), changed(test.changes[0], 0, test.changes[1])))
			require.Equal(t, 1, s.count(t, "stitch_stage.marketing_events WHERE is_deleted"))
			require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(2, 1))))
			require.Equal(t, 1, s.count(t, "stitch_stage.marketing_events WHERE NOT is_deleted"), "nor does a later event come in")
		})
	}
}

// Nothing is made a tombstone for good because of links that are wrong.
func TestWhoCannotBeResolvedIsNotErased(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(0, 1))))
	s.set(user(1), consent.State{Unresolved: true})
	require.NoError(t, o.WriteBatch(t.Context(), changed("identity.links", 0, user(1))))
	require.Equal(t, 1, s.count(t, "stitch_stage.marketing_events WHERE is_deleted"))
	s.set(user(1), consent.State{})
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(1, 1))))
	require.Equal(t, 1, s.count(t, "stitch_stage.marketing_events WHERE NOT is_deleted"))
}
