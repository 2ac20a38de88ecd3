package webhook

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/signature"
)

// The shipped door is described as the engine would start it, its variables replaced.
func TestTheShippedDoorIsDescribed(t *testing.T) {
	dir := t.TempDir()
	lookup := func(name string) (string, bool) {
		value, ok := map[string]string{"EBBGATE_SECRETS": filepath.Join(dir, "secrets"), "EBBGATE_WEBHOOK_ADDRESS": ""}[name]
		return value, ok
	}
	all, err := DescribeAll(os.DirFS("../../pipelines"), lookup)
	require.NoError(t, err)
	byProvider, err := Choose(all, "standard_webhooks")
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:8081/partner", byProvider.URL)
	_, err = byProvider.Scheme()
	require.ErrorContains(t, err, "ebbgate webhook secrets")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Choose(all, "nobody")
	require.ErrorIs(t, err, ErrNoEndpoint)
	require.ErrorContains(t, err, "stripe, github")

	for i := range all {
		made, err := all[i].MakeSecrets()
		require.NoError(t, err)
		require.Len(t, made, 1)
		info, err := os.Stat(made[0])
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		before, err := os.ReadFile(made[0])
		require.NoError(t, err)
		made, err = all[i].MakeSecrets()
		require.NoError(t, err)
		require.Empty(t, made, "what is there stays")
		after, err := os.ReadFile(all[i].SecretFiles[0])
		require.NoError(t, err)
		require.Equal(t, before, after)

		scheme, err := all[i].Scheme()
		require.NoError(t, err)
		header, err := scheme.Sign(signature.Outgoing{ID: "a", At: time.Now(), Body: []byte("{}")})
		require.NoError(t, err)
		require.True(t, scheme.Verify(header, []byte("{}"), time.Now()).OK(), all[i].Source)
		given, err := signature.NewSecret(all[i].Provider)
		require.NoError(t, err)
		other, err := all[i].Scheme(signature.Secret{ID: "given", Value: given})
		require.NoError(t, err)
		require.False(t, other.Verify(header, []byte("{}"), time.Now()).OK(), "only the given one counts")
	}
}
