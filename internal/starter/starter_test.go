package starter_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/starter"
)

var small = fstest.MapFS{"pipelines/policy.yaml": {Data: []byte("version: a\n")}}

func names(t *testing.T, files fs.FS) (found []string) {
	t.Helper()
	require.NoError(t, fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, name)
		}
		return err
	}))
	return found
}

// What the binary carries is what the repository has, file by file and byte by byte.
func TestShippedIsTheRepositorys(t *testing.T) {
	var want []string
	repository := os.DirFS("../..")
	for _, root := range []string{"bloblang/lib", "pipelines"} {
		below, err := fs.Sub(repository, root)
		require.NoError(t, err)
		for _, name := range names(t, below) {
			if filepath.Ext(name) != ".go" {
				want = append(want, root+"/"+name)
			}
		}
	}
	assert.Equal(t, want, names(t, ebbgate.Shipped))
	for _, name := range want {
		in, err := fs.ReadFile(repository, name)
		require.NoError(t, err)
		out, err := fs.ReadFile(ebbgate.Shipped, name)
		require.NoError(t, err)
		assert.Equal(t, string(in), string(out), name)
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "shop")
	result, err := starter.Write(dir, ebbgate.Shipped, map[string][]byte{"policy": []byte("{}\n")})
	require.NoError(t, err)
	assert.Equal(t, &starter.Result{Files: len(names(t, ebbgate.Shipped)) + 6, Keys: filepath.Join(dir, keys.DefaultPath)}, result)
	info, err := os.Stat(result.Keys)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	ignored, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	require.NoError(t, err)
	assert.Contains(t, string(ignored), "\n/"+strings.Split(keys.DefaultPath, "/")[0]+"/\n", "keys are not committed")
	for _, name := range []string{"README.md", "publish.yaml", ".vscode/settings.json", ".schemas/policy.json"} {
		assert.FileExists(t, filepath.Join(dir, name))
	}
}

// Nothing of anybody's is lost, however init is called.
func TestWriteTouchesNothingThatIsThere(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	_, err := starter.Write(dir, small, nil)
	require.ErrorIs(t, err, starter.ErrOccupied)
	require.ErrorContains(t, err, dir+" holds a, b, c and 1 more: init writes into a new or empty folder only")
	assert.Equal(t, []string{"a", "b", "c", "d"}, names(t, os.DirFS(dir)))
	_, err = starter.Write(filepath.Join(dir, "a"), small, nil)
	require.ErrorIs(t, err, starter.ErrOccupied)
}

func TestWriteKeepsKeysAndARepository(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".git"), 0o700))
	file := filepath.Join(dir, keys.DefaultPath)
	require.NoError(t, keys.Init(file))
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	result, err := starter.Write(dir, small, nil)
	require.NoError(t, err)
	assert.True(t, result.KeptKeys)
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

// What fails half way leaves nothing, so that the next attempt is not refused for it.
func TestWriteTakesBackWhatItBegan(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "shop")
	broken := fstest.MapFS{"pipelines": {Data: []byte("a file")}, "pipelines/policy.yaml": {Data: []byte("below a file")}}
	_, err := starter.Write(dir, brokenTree{broken}, nil)
	require.ErrorContains(t, err, "name a folder you may write to")
	assert.NotContains(t, err.Error(), "version:")
	assert.Empty(t, names(t, os.DirFS(parent)))
	assert.NoDirExists(t, dir)
}

// brokenTree has a file where it has a folder too, which no disk can take.
type brokenTree struct{ fstest.MapFS }

func (b brokenTree) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, errors.New("not asked for")
	}
	var entries []fs.DirEntry
	for _, file := range []string{"pipelines", "pipelines/policy.yaml"} {
		info, err := fs.Stat(b.MapFS, file)
		if err != nil {
			return nil, err
		}
		entries = append(entries, named{fs.FileInfoToDirEntry(info), file})
	}
	return entries, nil
}

type named struct {
	fs.DirEntry
	name string
}

func (n named) Name() string { return n.name }
func (named) IsDir() bool    { return false }
