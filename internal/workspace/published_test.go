package workspace_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/workspace"
)

// A published policy judges by itself what it judged when it was in force.
func TestAPublishedPolicyCanBeRebuilt(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(shipped)))
	ws, err := workspace.Load(dir)
	require.NoError(t, err)
	record := ws.Publish()
	value, err := json.Marshal(record)
	require.NoError(t, err)
	parsed, err := workspace.ParsePublished(value)
	require.NoError(t, err)
	again, err := parsed.Rules()
	require.NoError(t, err)
	require.Equal(t, ws.Hash(), again.Hash())
	require.Equal(t, ws.Policy.Version, again.Policy.Version)
	require.Equal(t, ws.Contracts.LeafPaths(), again.Contracts.LeafPaths())
	require.Equal(t, "1.1.0", record.Contracts["page_viewed"])

	parsed.Policy += "# something else\n"
	_, err = parsed.Rules()
	require.ErrorContains(t, err, "not those its sha256 was made of")

	file := filepath.Join(dir, "contracts", "page_viewed.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(text, "# changed\n"...), 0o600))
	require.Equal(t, record, ws.Publish(), "what is published is what judges, whatever the files say since")

	for _, value := range []string{"", "null", "{}", `{"version":1}`} {
		_, err = workspace.ParsePublished([]byte(value))
		require.Error(t, err, value)
	}
}

func TestAnotherPolicyIsHeldAgainstTheSameContracts(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(shipped, "policy.yaml"))
	require.NoError(t, err)
	next := filepath.Join(t.TempDir(), "policy-next.yaml")
	require.NoError(t, os.WriteFile(next, append(text, "      properties.nobody: keep\n"...), 0o600))
	_, err = workspace.LoadRules(shipped, next)
	require.ErrorContains(t, err, "policy-next.yaml:")
	require.NoError(t, os.WriteFile(next, text, 0o600))
	ws, err := workspace.LoadRules(shipped, next)
	require.NoError(t, err)
	require.Equal(t, "policy-next.yaml", ws.Policy.File)
}
