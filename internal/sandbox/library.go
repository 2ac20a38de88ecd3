package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ebbgate/ebbgate/internal/npm"
)

// engineVersion is the pinned release of the embedded ClickHouse engine.
const engineVersion = "26.7.3-stable.1"

// libraryFiles are the names the engine's shared library has inside its packages.
var libraryFiles = []string{"libchdb.so", "libchdb.dylib"}

// ErrNoEngine says that no ClickHouse could be found or fetched. Its text
// names what to install.
var ErrNoEngine = errors.New("no ClickHouse engine is available: install Node.js with npm, so that the embedded engine can be fetched once, " +
	"or put a `clickhouse` binary (25.8 or newer) on PATH, or set EBBGATE_CLICKHOUSE_DSN to a running server")

// enginePackages are the packages that hold the engine. A digest that is not
// pinned here is asked of the npm client.
var enginePackages = map[string]npm.Package{
	"linux/amd64": {
		Name: "@chdb/lib-linux-x64-gnu", Version: engineVersion,
		Integrity: "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
	},
	"linux/arm64":  {Name: "@chdb/lib-linux-arm64-gnu", Version: engineVersion},
	"darwin/arm64": {Name: "@chdb/lib-darwin-arm64", Version: engineVersion},
	"darwin/amd64": {Name: "@chdb/lib-darwin-x64", Version: engineVersion},
}

// Library returns the path of the embedded engine's shared library: from the
// cache when it is there, else fetched once through the npm client (about
// 180 MB). report, when not nil, is told the progress of a fetch. An error
// wraps ErrNoEngine when the machine cannot have the engine.
func Library(ctx context.Context, report func(npm.Progress)) (string, error) {
	pkg, ok := enginePackages[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return "", fmt.Errorf("%w (the embedded engine does not exist for %s/%s)", ErrNoEngine, runtime.GOOS, runtime.GOARCH)
	}
	cache, err := npm.CacheDir()
	if err != nil {
		return "", err
	}
	return library(ctx, npm.Fetcher{CacheDir: cache, Report: report}, pkg)
}

func library(ctx context.Context, fetcher npm.Fetcher, pkg npm.Package) (string, error) {
	var err error
	if pkg.Integrity == "" {
		if pkg.Integrity, err = fetcher.Integrity(ctx, pkg.Name, pkg.Version); err != nil {
			return "", noEngine(err)
		}
	}
	dir, err := fetcher.Fetch(ctx, pkg)
	if err != nil {
		return "", noEngine(err)
	}
	for _, name := range libraryFiles {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", noEngine(fmt.Errorf("package %s holds no shared library", pkg))
}

// noEngine adds the remedy to the reason. A missing npm client is the remedy's first word already.
func noEngine(reason error) error {
	if errors.Is(reason, npm.ErrNoClient) {
		return ErrNoEngine
	}
	return fmt.Errorf("%w (fetching the embedded engine: %w)", ErrNoEngine, reason)
}
