package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// runKeys runs `ebbgate keys ARGS` and returns what it printed.
func runKeys(args ...string) (string, error) {
	var out bytes.Buffer
	app := &cli.App{Name: "ebbgate", Writer: &out, ErrWriter: &out, Commands: []*cli.Command{keysCommand()}, ExitErrHandler: func(*cli.Context, error) {}}
	err := app.Run(append([]string{"ebbgate", "keys"}, args...))
	return out.String(), err
}

func TestKeysCommandLifecycle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "keys")
	t.Setenv(keys.EnvironmentVariable, "")

	_, err := runKeys("show", "--path", path)
	require.ErrorContains(t, err, "ebbgate keys init --path "+path)
	_, err = runKeys("rotate", "--path", path)
	require.ErrorContains(t, err, "ebbgate keys init --path "+path)

	out, err := runKeys("init", "--path", path)
	require.NoError(t, err)
	assert.Contains(t, out, "export "+keys.EnvironmentVariable+"="+path)
	_, err = runKeys("init", "--path", path)
	require.ErrorContains(t, err, "exists and is kept")

	t.Setenv(keys.EnvironmentVariable, path) // the flag's default
	first, err := runKeys("show")
	require.NoError(t, err)
	assert.Regexp(t, `^1  [0-9a-v]{8}  current  subject pseudonyms\n$`, first)

	out, err = runKeys("rotate")
	require.NoError(t, err)
	assert.Contains(t, out, "Restart sinks first")
	second, err := runKeys("show")
	require.NoError(t, err)
	assert.Regexp(t, `^1  [0-9a-v]{8}  subject pseudonyms\n2  [0-9a-v]{8}  current\n$`, second)
	assert.Equal(t, first[:11], second[:11], "oldest first")

	material, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, line := range strings.Fields(string(material)) {
		secret := line[strings.LastIndexByte(line, ':')+1:]
		assert.NotContains(t, first+second+out, secret[:8], "key material is never printed")
	}
}

func TestKeysHelpHasExamples(t *testing.T) {
	for _, command := range keysCommand().Subcommands {
		assert.Contains(t, command.Description, "Examples:\n  ebbgate keys "+command.Name)
		assert.NotEmpty(t, command.Usage)
	}
}
