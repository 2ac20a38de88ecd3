package workspace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/workspace"
)

var lintBase = filepath.Join("testdata", "lint", "base")

// TestFindings holds the words of every finding, over a workspace of which lint has nothing to say. Run it with -update after
// changing one on purpose.
func TestFindings(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "lint", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var got strings.Builder
			for _, f := range workspace.Lint(overlay(t, lintBase, dir)) {
				got.WriteString(f.String() + "\n")
			}
			if dir == lintBase {
				require.Empty(t, got.String())
				return
			}
			golden := filepath.Join(dir, "want.txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.NotEmpty(t, string(want))
			require.Equal(t, string(want), got.String())
		})
	}
}

// Of the shipped workspace there is nothing to refuse, and what it is warned of is known.
func TestLintOfShippedWorkspace(t *testing.T) {
	rules := map[string]int{}
	for _, f := range workspace.Lint(os.DirFS(shipped)) {
		require.Equal(t, workspace.Warning, f.Severity, f.String())
		rules[f.Rule]++
	}
	assert.Equal(t, 1, rules["destination.unserved"], "activation")
	assert.NotZero(t, rules["contract.unused"], "texts of forms are not delivered")
	assert.Equal(t, 1, rules["topics.replicas"])
	assert.Len(t, rules, 3)
}

// What stops Load stops lint, in the same words.
func TestLintRefusesWhatLoadRefuses(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "bad", "*"))
	require.NoError(t, err)
	for _, dir := range cases {
		files := overlay(t, base, dir)
		_, err := workspace.LoadFS(files)
		require.Error(t, err)
		var said []string
		for _, f := range workspace.Lint(files) {
			if f.Severity == workspace.Error {
				text := strings.TrimSuffix(f.String(), " ["+f.Rule+"]")
				said = append(said, strings.Replace(text, "error: ", "", 1))
			}
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			assert.Contains(t, said, line, dir)
		}
	}
}

func TestEngineFiles(t *testing.T) {
	files, err := workspace.EngineFiles(os.DirFS(shipped), false)
	require.NoError(t, err)
	assert.Contains(t, files, "service.yaml")
	assert.Contains(t, files, "streams/govern.yaml")
	assert.NotContains(t, files, "streams/govern_benthos_test.yaml")
	files, err = workspace.EngineFiles(os.DirFS(shipped), true)
	require.NoError(t, err)
	assert.Contains(t, files, "streams/govern_benthos_test.yaml")
	files, err = workspace.EngineFiles(os.DirFS(t.TempDir()), true)
	require.NoError(t, err)
	assert.Empty(t, files)
}
