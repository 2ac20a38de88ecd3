// Package npm fetches one exact npm package through the machine's own npm client, checks it against a pinned
// digest and unpacks it once into a cache outside the repository.
//
// The client, not this package, knows about registries, proxies and credentials. What it brings is believed only
// when its SHA-512 is the pinned one. A cached package is complete or absent: it appears by one rename.
package npm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrNoClient says that the npm client is not installed. The remedy is to install Node.js with npm.
var ErrNoClient = errors.New("the npm client is not on PATH: install Node.js with npm")

// ErrIntegrity says that a fetched tarball is not the pinned one. Nothing of it was unpacked.
var ErrIntegrity = errors.New("the package's sha512 is not the pinned one")

// EnvCacheDir is the environment variable that moves the cache.
const EnvCacheDir = "EBBGATE_CACHE_DIR"

// markFile holds, inside an unpacked package, the integrity it was checked against.
const markFile = ".ebbgate-integrity"

var (
	nameForm    = regexp.MustCompile(`^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*$`)
	versionForm = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]+)?$`)
)

// Package names one exact package: Name with its scope, Version exact (no range), Integrity as npm writes it
// ("sha512-" and base64).
type Package struct {
	Name      string
	Version   string
	Integrity string
}

// String is name@version.
func (p Package) String() string { return p.Name + "@" + p.Version }

// folder is the package's place in the cache, safe as one path element.
func (p Package) folder() string {
	return strings.ReplaceAll(p.Name, "/", "+") + "@" + p.Version
}

func (p Package) check() error {
	if !nameForm.MatchString(p.Name) {
		return fmt.Errorf("naming a package: %q is not an npm package name", p.Name)
	}
	if !versionForm.MatchString(p.Version) {
		return fmt.Errorf("naming package %s: %q is not an exact version", p.Name, p.Version)
	}
	if _, err := parseIntegrity(p.Integrity); err != nil {
		return fmt.Errorf("pinning package %s: %w", p, err)
	}
	return nil
}

// Progress tells how far a fetch is. Stage is "fetch", "verify" or "unpack"; Done and Total are bytes of the
// tarball, and Total is 0 while it is not known.
type Progress struct {
	Stage       string
	Done, Total int64
}

// Fetcher fetches packages into CacheDir. The zero value of the other fields is good: Client defaults to "npm",
// Report to silence. A Fetcher is safe for concurrent use when Report is.
type Fetcher struct {
	// CacheDir is the folder that holds the unpacked packages; it is made when absent.
	CacheDir string
	// Client is the npm client's name or path.
	Client string
	// Report is called now and then while work is done. It must not block.
	Report func(Progress)
}

// Fetch is Fetcher{CacheDir: cacheDir}.Fetch for one package.
func Fetch(ctx context.Context, name, version, integrity, cacheDir string) (string, error) {
	return Fetcher{CacheDir: cacheDir}.Fetch(ctx, Package{Name: name, Version: version, Integrity: integrity})
}

// CacheDir is the folder for fetched packages: $EBBGATE_CACHE_DIR, or "ebbgate" in the user's cache folder.
func CacheDir() (string, error) {
	if dir := os.Getenv(EnvCacheDir); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder (set %s): %w", EnvCacheDir, err)
	}
	return filepath.Join(dir, "ebbgate"), nil
}

// Cached returns the folder of an already unpacked package, and whether it is there under the pinned integrity.
// It uses no client and no network.
func (f Fetcher) Cached(p Package) (string, bool) {
	dir := filepath.Join(f.CacheDir, p.folder())
	mark, err := os.ReadFile(filepath.Join(dir, markFile))
	return dir, err == nil && string(mark) == p.Integrity
}

// Fetch returns the folder that holds the package's files (the content of the tarball's "package" folder). The
// first call fetches, verifies and unpacks; later calls, also of other processes, find it in the cache. Errors wrap
// ErrNoClient or ErrIntegrity where they are the reason.
func (f Fetcher) Fetch(ctx context.Context, p Package) (string, error) {
	if err := p.check(); err != nil {
		return "", err
	}
	if dir, ok := f.Cached(p); ok {
		return dir, nil
	}
	if err := os.MkdirAll(f.CacheDir, 0o755); err != nil {
		return "", fmt.Errorf("making the cache folder: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(f.CacheDir, p.folder()+".lock"))
	if err != nil {
		return "", fmt.Errorf("locking the cache for %s: %w", p, err)
	}
	defer unlock()
	// Another process may have finished while this one waited for the lock.
	if dir, ok := f.Cached(p); ok {
		return dir, nil
	}
	return f.install(ctx, p)
}

// install does the work of Fetch with the lock held.
func (f Fetcher) install(ctx context.Context, p Package) (string, error) {
	prefix := ".fetch-" + p.folder() + "-"
	// With the lock held, such a folder can only be what a killed process left.
	if left, err := filepath.Glob(filepath.Join(f.CacheDir, prefix+"*")); err == nil {
		for _, dir := range left {
			os.RemoveAll(dir)
		}
	}
	tmp, err := os.MkdirTemp(f.CacheDir, prefix)
	if err != nil {
		return "", fmt.Errorf("making a temporary folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	tarball, err := f.pack(ctx, p, tmp)
	if err != nil {
		return "", err
	}
	if err := f.verify(tarball, p.Integrity); err != nil {
		return "", fmt.Errorf("verifying %s: %w", p, err)
	}
	content := filepath.Join(tmp, "content")
	if err := f.unpack(ctx, tarball, content); err != nil {
		return "", fmt.Errorf("unpacking %s: %w", p, err)
	}
	if err := os.WriteFile(filepath.Join(content, markFile), []byte(p.Integrity), 0o644); err != nil {
		return "", fmt.Errorf("marking %s: %w", p, err)
	}
	dir := filepath.Join(f.CacheDir, p.folder())
	// What lies there has no valid mark, so nobody uses it.
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("removing an incomplete %s: %w", p, err)
	}
	if err := os.Rename(content, dir); err != nil {
		return "", fmt.Errorf("publishing %s: %w", p, err)
	}
	return dir, nil
}

// client resolves the npm client.
func (f Fetcher) client() (string, error) {
	name := f.Client
	if name == "" {
		name = "npm"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", ErrNoClient
	}
	return path, nil
}

func (f Fetcher) report(stage string, done, total int64) {
	if f.Report != nil {
		f.Report(Progress{Stage: stage, Done: done, Total: total})
	}
}
