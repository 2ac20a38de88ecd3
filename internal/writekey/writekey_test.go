package writekey

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAKeyIsFoundByItsHash(t *testing.T) {
	var set Set
	keys := []string{New(), New(), New()}
	for i, key := range keys {
		require.Regexp(t, "^wk_[a-z2-7]{26}$", key)
		h, err := ParseHash(HashOf(key).String())
		require.NoError(t, err)
		require.True(t, set.Add(h, i/2))
		require.False(t, set.Add(h, 7), "a key has one owner")
	}
	for i, key := range keys {
		owner, ok := set.Find([]byte(key))
		require.True(t, ok)
		require.Equal(t, i/2, owner)
	}
	for _, stranger := range []string{"", keys[0][1:], keys[0] + " ", HashOf(keys[0]).String(), strings.Repeat("a", 257)} {
		_, ok := set.Find([]byte(stranger))
		require.False(t, ok)
	}
}

func TestAHashIsWrittenInOneWay(t *testing.T) {
	key := New()
	for _, text := range []string{"", key, "sha256:", "sha256:" + strings.Repeat("g", 64), "sha256:" + strings.Repeat("a", 62), strings.Repeat("a", 64)} {
		_, err := ParseHash(text)
		require.ErrorIs(t, err, ErrForm)
		require.NotContains(t, err.Error(), key)
	}
}

func TestAFileOfAKeyIsNeverWrittenOver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	key, file, err := Create(dir, "web_app")
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(text), key)
	h, err := ParseHash(string(text))
	require.NoError(t, err)
	require.Equal(t, HashOf(key), h)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	_, _, err = Create(dir, "web_app")
	require.ErrorContains(t, err, "exists")
	for _, name := range []string{"", "../up", "a/b", ".hidden"} {
		_, _, err := Create(dir, name)
		require.ErrorContains(t, err, "name: give")
	}
}
