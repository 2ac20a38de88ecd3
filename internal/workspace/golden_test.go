package workspace_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/workspace"
)

var update = flag.Bool("update", false, "write want.txt of every case anew")

var base = filepath.Join("testdata", "base")

// overlay is a good workspace with the files of one case laid over it.
func overlay(t testing.TB, good, dir string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, root := range []string{good, dir} {
		require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == "want.txt" {
				return err
			}
			src, err := os.ReadFile(name)
			files[filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator)))] = &fstest.MapFile{Data: src}
			return err
		}))
	}
	return files
}

// TestBadWorkspaces holds the words of every problem: file, line, field, what is wrong and what to do. Run it with -update after
// changing one on purpose.
func TestBadWorkspaces(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "bad", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			_, err := workspace.LoadFS(overlay(t, base, dir))
			require.Error(t, err)
			golden := filepath.Join(dir, "want.txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o600))
			}
			want, readErr := os.ReadFile(golden)
			require.NoError(t, readErr)
			require.Equal(t, string(want), err.Error()+"\n")
		})
	}
}

func TestBaseWorkspaceLoads(t *testing.T) {
	w, err := workspace.LoadFS(overlay(t, base, base))
	require.NoError(t, err)
	require.Equal(t, []string{"analytics", "marketing"}, w.Policy.Purposes().Names())
}
