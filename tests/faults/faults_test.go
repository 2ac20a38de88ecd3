package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(envRole); role != "" {
		if err := serve(role); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// The short lane of the programme. Its seed is always the same; `go run ./tests/faults` draws another.
func TestNothingIsLostLeakedOrRepeatedThroughFaults(t *testing.T) {
	rep, err := run(t.Context(), t.TempDir(), 1, lane, t.Logf)
	require.NoError(t, err)
	t.Log("\n" + rep.String())
	require.Empty(t, rep.Problems)
	require.GreaterOrEqual(t, rep.kills(), 20)
}
