package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type entry struct {
	name string
	kind byte
	body string
	link string
}

func tarball(t *testing.T, entries ...entry) ([]byte, string) {
	t.Helper()
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	archive := tar.NewWriter(packed)
	for _, e := range entries {
		head := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: 0o755, Linkname: e.link, Size: int64(len(e.body))}
		require.NoError(t, archive.WriteHeader(head))
		_, err := archive.Write([]byte(e.body))
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	require.NoError(t, packed.Close())
	sum := sha512.Sum512(out.Bytes())
	return out.Bytes(), "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// registry serves one package to the real client and counts how often the tarball was taken.
func registry(t *testing.T, name, version string, body []byte, integrity string) *atomic.Int64 {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("needs the npm client")
	}
	var taken atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if filepath.Ext(r.URL.Path) == ".tgz" {
			taken.Add(1)
			w.Write(body)
			return
		}
		if r.URL.Path != "/"+name {
			http.NotFound(w, r)
			return
		}
		dist := map[string]any{"tarball": "http://" + r.Host + "/t/pack.tgz", "integrity": integrity}
		one := map[string]any{"name": name, "version": version, "dist": dist}
		json.NewEncoder(w).Encode(map[string]any{
			"name": name, "dist-tags": map[string]string{"latest": version}, "versions": map[string]any{version: one},
		})
	}))
	t.Cleanup(server.Close)
	t.Setenv("npm_config_registry", server.URL)
	t.Setenv("npm_config_cache", t.TempDir())
	t.Setenv("npm_config_fetch_retries", "0")
	return &taken
}

var plain = []entry{
	{name: "package/package.json", kind: tar.TypeReg, body: `{"name":"@acme/data","version":"1.2.3"}`},
	{name: "package/deep/er/file.txt", kind: tar.TypeReg, body: "hello"},
}

func TestFetchOnceThroughTheClient(t *testing.T) {
	body, integrity := tarball(t, plain...)
	taken := registry(t, "@acme/data", "1.2.3", body, integrity)
	cache := filepath.Join(t.TempDir(), "new", "cache")

	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			dir, err := Fetch(t.Context(), "@acme/data", "1.2.3", integrity, cache)
			if assert.NoError(t, err) {
				text, err := os.ReadFile(filepath.Join(dir, "deep/er/file.txt"))
				assert.NoError(t, err)
				assert.Equal(t, "hello", string(text))
			}
		})
	}
	group.Wait()
	assert.EqualValues(t, 1, taken.Load(), "the package is fetched once")
	left, err := filepath.Glob(filepath.Join(cache, ".fetch-*"))
	require.NoError(t, err)
	assert.Empty(t, left, "no temporary folder stays")

	asked, err := Fetcher{}.Integrity(t.Context(), "@acme/data", "1.2.3")
	require.NoError(t, err)
	assert.Equal(t, integrity, asked)
}

func TestFetchRefusesAnotherTarball(t *testing.T) {
	body, integrity := tarball(t, plain...)
	_, pinned := tarball(t, entry{name: "package/a", kind: tar.TypeReg, body: "other"})
	registry(t, "@acme/data", "1.2.3", body, integrity)
	cache := t.TempDir()
	_, err := Fetch(t.Context(), "@acme/data", "1.2.3", pinned, cache)
	require.ErrorIs(t, err, ErrIntegrity)
	_, ok := Fetcher{CacheDir: cache}.Cached(Package{"@acme/data", "1.2.3", pinned})
	assert.False(t, ok)
}

func TestFetchSaysWhatIsMissing(t *testing.T) {
	body, integrity := tarball(t, plain...)
	_, err := Fetcher{CacheDir: t.TempDir(), Client: "no-such-client"}.Fetch(t.Context(), Package{"a", "1.0.0", integrity})
	require.ErrorIs(t, err, ErrNoClient)

	registry(t, "@acme/data", "1.2.3", body, integrity)
	_, err = Fetch(t.Context(), "absent", "1.0.0", integrity, t.TempDir())
	require.ErrorContains(t, err, "fetching absent@1.0.0: running npm pack")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Fetch(ctx, "@acme/data", "1.2.3", integrity, t.TempDir())
	require.ErrorIs(t, err, context.Canceled)
}

func TestFetchChecksTheName(t *testing.T) {
	_, good := tarball(t, plain...)
	for name, p := range map[string]Package{
		"flag as name":   {"--registry", "1.0.0", good},
		"folder as name": {"../x", "1.0.0", good},
		"range":          {"x", "^1.0.0", good},
		"no integrity":   {"x", "1.0.0", ""},
		"weak integrity": {"x", "1.0.0", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Fetcher{CacheDir: t.TempDir()}.Fetch(t.Context(), p)
			require.Error(t, err)
		})
	}
}

func TestCachedBelievesOnlyTheMark(t *testing.T) {
	_, integrity := tarball(t, plain...)
	f := Fetcher{CacheDir: t.TempDir()}
	p := Package{"@acme/data", "1.2.3", integrity}
	dir := filepath.Join(f.CacheDir, "@acme+data@1.2.3")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	_, ok := f.Cached(p)
	assert.False(t, ok, "a folder without a mark")
	require.NoError(t, os.WriteFile(filepath.Join(dir, markFile), []byte("sha512-other"), 0o644))
	_, ok = f.Cached(p)
	assert.False(t, ok, "a folder of another digest")
	require.NoError(t, os.WriteFile(filepath.Join(dir, markFile), []byte(integrity), 0o644))
	_, ok = f.Cached(p)
	assert.True(t, ok)
}

func TestUnpackStaysInside(t *testing.T) {
	for name, e := range map[string]entry{
		"parent":        {name: "package/../../evil", kind: tar.TypeReg, body: "x"},
		"absolute":      {name: "/etc/evil", kind: tar.TypeReg, body: "x"},
		"no folder":     {name: "evil", kind: tar.TypeReg, body: "x"},
		"symbolic link": {name: "package/l", kind: tar.TypeSymlink, link: "/etc/passwd"},
		"hard link":     {name: "package/l", kind: tar.TypeLink, link: "package/package.json"},
		"own mark":      {name: "package/" + markFile, kind: tar.TypeReg, body: "x"},
		"twice":         {name: "package/package.json", kind: tar.TypeReg, body: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			body, _ := tarball(t, append(plain[:len(plain):len(plain)], e)...)
			path := filepath.Join(t.TempDir(), "x.tgz")
			require.NoError(t, os.WriteFile(path, body, 0o644))
			into := t.TempDir()
			err := Fetcher{}.unpack(t.Context(), path, filepath.Join(into, "content"))
			if name == "absolute" {
				// The leading slash is the leading folder: the file lands inside.
				require.NoError(t, err)
				assert.FileExists(t, filepath.Join(into, "content", "etc", "evil"))
				return
			}
			require.Error(t, err)
			assert.NoFileExists(t, filepath.Join(into, "evil"))
		})
	}
}

func TestReportTellsBytes(t *testing.T) {
	body, integrity := tarball(t, plain...)
	registry(t, "@acme/data", "1.2.3", body, integrity)
	last := map[string]Progress{}
	f := Fetcher{CacheDir: t.TempDir(), Report: func(p Progress) { last[p.Stage] = p }}
	_, err := f.Fetch(t.Context(), Package{"@acme/data", "1.2.3", integrity})
	require.NoError(t, err)
	size := int64(len(body))
	assert.Equal(t, Progress{"verify", size, size}, last["verify"])
	assert.Equal(t, Progress{"unpack", size, size}, last["unpack"])
}

func TestCacheDir(t *testing.T) {
	t.Setenv(EnvCacheDir, "/somewhere")
	dir, err := CacheDir()
	require.NoError(t, err)
	assert.Equal(t, "/somewhere", dir)
	t.Setenv(EnvCacheDir, "")
	dir, err = CacheDir()
	require.NoError(t, err)
	assert.Equal(t, "ebbgate", filepath.Base(dir))
}
