package keys

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func line(id string) string {
	m := otherMaster(id)
	return linePrefix + ":" + id + ":" + base64.StdEncoding.EncodeToString(m.secret[:])
}

func write(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

func TestLoadRefusesMalformedFiles(t *testing.T) {
	good := line("good")
	repeated := "aaaa" + strings.TrimPrefix(good, linePrefix+":good")
	cases := map[string]struct{ content, says string }{
		"empty":              {"", "empty"},
		"only a newline":     {"\n", "line 1"},
		"short secret":       {linePrefix + ":good:" + base64.StdEncoding.EncodeToString(make([]byte, 31)), "exactly 32 bytes"},
		"long secret":        {linePrefix + ":good:" + base64.StdEncoding.EncodeToString(make([]byte, 33)), "exactly 32 bytes"},
		"zero secret":        {linePrefix + ":good:" + base64.StdEncoding.EncodeToString(make([]byte, 32)), "one byte repeated"},
		"no base64":          {linePrefix + ":good:" + strings.Repeat("!", 44), "exactly 32 bytes"},
		"loose base64":       {good[:len(good)-2] + "/=", "exactly 32 bytes"},
		"truncated":          {good[:len(good)-5], "exactly 32 bytes"},
		"wrong version":      {strings.Replace(good, "master-1", "master-2", 1), "expected"},
		"missing parts":      {"ebbgate-master-1", "expected"},
		"bad id":             {strings.Replace(good, ":good:", ":GOOD:", 1), "key id"},
		"long id":            {strings.Replace(good, ":good:", ":"+strings.Repeat("g", 17)+":", 1), "key id"},
		"id repeats":         {line("good") + "\n" + line("more") + "\n" + line("good"), "line 3: the key id repeats that of line 1"},
		"secret repeats":     {good + "\n" + linePrefix + ":" + repeated, "line 2: the key repeats that of line 1"},
		"second line broken": {good + "\n" + "ebbgate-master-1:oops", "line 2"},
		"blank line between": {good + "\n\n" + line("more"), "line 2"},
		"windows line ends":  {good + "\r\n", "line 1"},
		"byte order mark":    {"\ufeff" + good, "line 1"},
		"huge":               {strings.Repeat("x", maxFile+10), "bytes"},
		"too many lines":     {strings.Repeat(good+"\n", maxMasters+1), "lines"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			ring, err := Load(write(t, c.content, 0o600))
			assert.Nil(t, ring)
			require.ErrorIs(t, err, ErrMalformed)
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "ebbgate keys init", "the error must name the remedy")
			for _, content := range strings.Split(c.content, ":") {
				if len(content) >= 20 {
					assert.NotContains(t, err.Error(), content[:20], "an error must not quote the file")
				}
			}
		})
	}
}

func TestLoadRefusesFilesOthersCanReach(t *testing.T) {
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o660, 0o620, 0o602, 0o601, 0o777} {
		ring, err := Load(write(t, line("good"), mode))
		assert.Nil(t, ring, "%o", mode)
		require.ErrorIs(t, err, ErrUnsafe, "%o", mode)
		assert.ErrorContains(t, err, "chmod 600")
	}
	for _, mode := range []os.FileMode{0o600, 0o400} {
		_, err := Load(write(t, line("good"), mode))
		assert.NoError(t, err, "%o", mode)
	}
}

func TestLoadRefusesWhatIsNoFile(t *testing.T) {
	_, err := Load(t.TempDir())
	require.ErrorIs(t, err, ErrUnsafe)
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err = Load(pipe)
	require.ErrorIs(t, err, ErrUnsafe)
}

func TestAbsentKeysNameTheRemedy(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, ErrAbsent)
	assert.ErrorContains(t, err, "ebbgate keys init --path")

	t.Setenv(EnvironmentVariable, "")
	_, err = FromEnvironment()
	require.ErrorIs(t, err, ErrAbsent)
	assert.ErrorContains(t, err, EnvironmentVariable)
	assert.ErrorContains(t, err, "ebbgate keys init")
}

func TestFromEnvironmentLoadsTheNamedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "folder", "keys")
	require.NoError(t, Init(path))
	t.Setenv(EnvironmentVariable, path)
	ring, err := FromEnvironment()
	require.NoError(t, err)
	require.Len(t, ring.Keys(), 1)
	loaded, err := Load(path)
	require.NoError(t, err)
	assert.Equal(t, ring.SubjectKey(), loaded.SubjectKey())
}

func TestInitWritesAPrivateFileAndKeepsAnExistingOne(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "new", "keys")
	require.NoError(t, Init(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	folder, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), folder.Mode().Perm())

	before, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Regexp(t, `^ebbgate-master-1:[0-9a-v]{8}:[A-Za-z0-9+/]{43}=\n$`, string(before))
	err = Init(path)
	require.ErrorIs(t, err, os.ErrExist)
	assert.ErrorContains(t, err, "ebbgate keys rotate")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestTwoFilesNeverShareAKey(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	require.NoError(t, Init(a))
	require.NoError(t, Init(b))
	ringA, err := Load(a)
	require.NoError(t, err)
	ringB, err := Load(b)
	require.NoError(t, err)
	assert.NotEqual(t, ringA.SubjectKey(), ringB.SubjectKey())
}

func TestRotatePrependsAtomically(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, Init(path))
	before, err := Load(path)
	require.NoError(t, err)
	id, err := Rotate(path)
	require.NoError(t, err)
	after, err := Load(path)
	require.NoError(t, err)
	assert.Equal(t, []Info{{ID: id, Current: true}, {ID: before.CurrentID(), Subjects: true}}, after.Keys())
	assert.Equal(t, before.SubjectKey(), after.SubjectKey())
	old, ok := after.SealFor(before.CurrentID(), "analytics")
	require.True(t, ok)
	assert.Equal(t, before.Seal("analytics"), old)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no temporary file stays behind")
}

func TestRotateFollowsALink(t *testing.T) {
	folder := t.TempDir()
	target, link := filepath.Join(folder, "keys"), filepath.Join(folder, "link")
	require.NoError(t, Init(target))
	require.NoError(t, os.Symlink(target, link))
	_, err := Rotate(link)
	require.NoError(t, err)
	ring, err := Load(target)
	require.NoError(t, err)
	assert.Len(t, ring.Keys(), 2)
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeSymlink)
}

func TestRotateRefusals(t *testing.T) {
	folder := t.TempDir()
	_, err := Rotate(filepath.Join(folder, "none"))
	require.ErrorIs(t, err, ErrAbsent)

	path := write(t, "broken", 0o600)
	_, err = Rotate(path)
	require.ErrorIs(t, err, ErrMalformed)
	requireContent(t, path, "broken")

	path = write(t, line("good"), 0o644)
	_, err = Rotate(path)
	require.ErrorIs(t, err, ErrUnsafe)
	requireContent(t, path, line("good"))
	assert.NoFileExists(t, path+".rotating")

	path = write(t, line("good"), 0o600)
	require.NoError(t, os.WriteFile(path+".rotating", nil, 0o600))
	_, err = Rotate(path)
	require.ErrorIs(t, err, os.ErrExist)
	assert.ErrorContains(t, err, "remove")
	requireContent(t, path, line("good"))
	assert.FileExists(t, path+".rotating", "another's work is not removed")
}

func requireContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

// Rotations that race lose no line: each one either succeeds and is in the file, or is refused.
func TestConcurrentRotationsLoseNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, Init(path))
	var wait sync.WaitGroup
	var mutex sync.Mutex
	made := map[string]bool{}
	for range 8 {
		wait.Go(func() {
			id, err := Rotate(path)
			mutex.Lock()
			defer mutex.Unlock()
			if err == nil {
				made[id] = true
			} else {
				assert.ErrorIs(t, err, os.ErrExist)
			}
			_, err = Load(path)
			assert.NoError(t, err, "a reader sees a whole file")
		})
	}
	wait.Wait()
	ring, err := Load(path)
	require.NoError(t, err)
	assert.Len(t, ring.Keys(), len(made)+1)
	for _, info := range ring.Keys() {
		assert.True(t, made[info.ID] || info.Subjects)
	}
}
