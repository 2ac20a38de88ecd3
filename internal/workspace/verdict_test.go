package workspace_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

func held(t testing.TB, w *workspace.Workspace, purposes ...string) *consent.Verdict {
	t.Helper()
	v := &consent.Verdict{Purposes: w.Policy.Purposes()}
	for _, name := range purposes {
		bit, ok := w.Policy.Purposes().Bit(name)
		require.True(t, ok)
		v.Held |= bit
	}
	return v
}
