package webhook

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABodyUnderAnotherIDIsNoticed(t *testing.T) {
	var b bodies
	require.False(t, b.again("one", "a"))
	require.False(t, b.again("one", "a"), "a retry")
	require.True(t, b.again("one", "b"))
	require.True(t, b.again("one", "c"))
	require.False(t, b.again("two", "b"))
}

func TestOnlyTheLatestBodiesAreRemembered(t *testing.T) {
	var b bodies
	for n := range 2*maxBodies + 1 {
		require.False(t, b.again(fmt.Sprint(n), "a"))
	}
	require.Len(t, b.ids, maxBodies)
	require.Len(t, b.order, maxBodies)
	require.True(t, b.again(fmt.Sprint(2*maxBodies), "b"))
	require.True(t, b.again(fmt.Sprint(maxBodies+1), "b"), "the oldest that is remembered")
	require.False(t, b.again(fmt.Sprint(maxBodies), "b"), "forgotten")
}
