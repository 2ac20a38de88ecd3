package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/keys"
)

func TestInitWritesAWorkspaceThatPasses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	out, code := runCommand(t, initCommand(), dir)
	require.Zero(t, code, out)
	assert.Contains(t, out, "cd "+dir+"\n")
	t.Chdir(dir)
	out, code = lintHere(t)
	require.Zero(t, code, out)
	assert.Contains(t, out, "0 errors, ")
	_, err := keys.Load(keys.DefaultPath)
	require.NoError(t, err)
	for _, name := range schemaNames() {
		text, err := os.ReadFile(filepath.Join(".schemas", name+".json"))
		require.NoError(t, err)
		want, err := schemaText(name)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(text))
	}
}

func TestInitSaysWhyNot(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 1, "name one folder, which is new or empty"},
		{[]string{""}, 1, "name one folder"},
		{[]string{"a", "b"}, 1, "name one folder"},
		{[]string{dir}, exitOccupied, "holds file: init writes into a new or empty folder only"},
		{[]string{file}, exitOccupied, "is a file: init writes"},
		{[]string{filepath.Join(file, "below")}, 1, "name a folder you may write to"},
	} {
		out, code := runCommand(t, initCommand(), test.args...)
		assert.Equal(t, test.code, code, "%q", test.args)
		assert.Contains(t, out, test.want)
	}
}
