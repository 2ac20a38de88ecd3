package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/state"
)

// prepareUnitTests lets `ebbgate test` use a static state, and gives it keys to run processors with when the environment names none. They are the same
// every time, so that tests may compare tokens, and protect nothing: the command opens no input and no output.
func prepareUnitTests(args []string) (cleanUp func(), err error) {
	if subcommand(args) != "test" {
		return func() {}, nil
	}
	if err := os.Setenv(state.EnvironmentStatic, "1"); err != nil {
		return nil, fmt.Errorf("allowing a static state: %w", err)
	}
	if os.Getenv(keys.EnvironmentVariable) != "" {
		return func() {}, nil
	}
	dir, err := os.MkdirTemp("", "ebbgate-test-keys-")
	if err != nil {
		return nil, fmt.Errorf("making keys for unit tests: %w", err)
	}
	master := sha256.Sum256([]byte("the keys of pipeline unit tests protect nothing"))
	line := "ebbgate-master-1:unittest:" + base64.StdEncoding.EncodeToString(master[:]) + "\n"
	file := filepath.Join(dir, "keys")
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		return nil, fmt.Errorf("making keys for unit tests: %w", err)
	}
	return func() { _ = os.RemoveAll(dir) }, os.Setenv(keys.EnvironmentVariable, file)
}

// subcommand is the first argument that is not a flag.
func subcommand(args []string) string {
	i := slices.IndexFunc(args[1:], func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	if i < 0 {
		return ""
	}
	return args[1+i]
}
