package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every mutant still applies and names a test that is there: a list that rots proves nothing. Trying them all takes too long for
// here.
func TestEveryMutantApplies(t *testing.T) {
	t.Chdir("../..")
	list, err := load("tests/mutants/mutants.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(list), 30)
	names := map[string]bool{}
	for _, m := range list {
		assert.False(t, names[m.Name], "%s is there twice", m.Name)
		names[m.Name] = true
		_, err := m.overlay(t.TempDir())
		assert.NoError(t, err, m.Name)
		assert.True(t, hasTest(t, m), "%s: %s has no %s", m.Name, m.Package, m.Test)
	}
}

func hasTest(t *testing.T, m *mutant) bool {
	t.Helper()
	files, err := os.ReadDir(m.Package)
	require.NoError(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(m.Package + "/" + file.Name())
		require.NoError(t, err)
		if strings.Contains(string(text), "func "+m.Test+"(") {
			return true
		}
	}
	return false
}
