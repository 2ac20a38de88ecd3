package signatures

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/npm"
)

// packages are the vendors' own, and what those import at run time. They are fetched into the cache and are no part of the
// repository.
var packages = []npm.Package{
	{Name: "stripe", Version: "23.1.0", Integrity: "sha512-fVUfMSfTPoukfoV//MUKAx2+YxyKmYaYtnAL9VkfnHfaPNQylFdWZMD+zgUFerI8rjbaiER8Vzj2XEUQ2AhAsQ=="},
	{Name: "standardwebhooks", Version: "1.1.1", Integrity: "sha512-bCbX9ZEyFkWPsRz7Bl3NuQUJohmwGSev/yhr7vhaGPlc4AfIrspIRa6cPTBuI1ItmrTDJ4d/S2hCsfe4+vQGnQ=="},
	{Name: "@stablelib/base64", Version: "1.0.1", Integrity: "sha512-1bnPQqSxSuc3Ii6MhBysoWCg58j97aUjuCSZrGSmDxNqtytIi0k8utUenAwTZN4V5mXXYGsVUI9zeBqy+jBOSQ=="},
	{Name: "fast-sha256", Version: "1.3.0", Integrity: "sha512-n11RGP/lrWEFI/bWdygLxhI+pVeo1ZYIVwvvPkW7azl/rOy+F3HYRZ2K5zeE9mmkhQppyv9sQFx0JM9UabnpPQ=="},
	{Name: "@octokit/webhooks", Version: "14.2.0", Integrity: "sha512-da6KbdNCV5sr1/txD896V+6W0iamFWrvVl8cHkBSPT+YlvmT3DwXa4jxZnQc+gnuTEqSWbBeoSZYTayXH9wXcw=="},
	{Name: "@octokit/webhooks-methods", Version: "6.0.0", Integrity: "sha512-MFlzzoDJVw/GcbfzVC1RLR36QqkTLUf79vLVO3D+xn7r0QgxnFoLZgtrzxiQErAjFUOdH6fas2KeQJ1yr/qaXQ=="},
}

// vendors makes a folder in which node finds the packages, and returns node's arguments to run the script of testdata there.
func vendors(t testing.TB) (node string, args []string) {
	t.Helper()
	node, err := exec.LookPath("node")
	unlessRequired(t, err)
	cache, err := npm.CacheDir()
	require.NoError(t, err)
	dir := t.TempDir()
	for _, p := range packages {
		found, err := npm.Fetcher{CacheDir: cache}.Fetch(t.Context(), p)
		require.False(t, errors.Is(err, npm.ErrIntegrity), "%v", err)
		unlessRequired(t, err)
		link := filepath.Join(dir, "node_modules", filepath.FromSlash(p.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o755))
		require.NoError(t, os.Symlink(found, link))
	}
	script, err := os.ReadFile(filepath.Join("testdata", "vendors.mjs"))
	require.NoError(t, err)
	path := filepath.Join(dir, "vendors.mjs")
	require.NoError(t, os.WriteFile(path, script, 0o600))
	// A package finds what it imports beside its link, not beside its place in the cache.
	return node, []string{"--preserve-symlinks", "--preserve-symlinks-main", path}
}

func unlessRequired(t testing.TB, err error) {
	t.Helper()
	if err != nil && os.Getenv("EBBGATE_REQUIRE_ENGINE") != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
}

// make fetch runs this one alone, so that the other tests need no network.
func TestPackagesAreCached(t *testing.T) {
	vendors(t)
}
