package conformance

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/ebbgate/ebbgate/"

// pure packages hold the decisions. They know no engine, no driver and no network.
var pure = []string{
	"internal/event", "internal/contract", "internal/policy", "internal/consent", "internal/identity", "internal/mask", "internal/keys",
	"internal/seal", "internal/quarantine", "internal/topics", "internal/workspace", "internal/explain", "internal/jsonschema", "internal/signature", "internal/segment", "internal/staging",
}

// pureMayUse is all that pure packages may import besides the standard library and each other.
var pureMayUse = []string{"golang.org/x/text/", "golang.org/x/mod/semver", "gopkg.in/yaml.v3", "github.com/tink-crypto/tink-go/", "github.com/prebid/go-gdpr/"}

// pureMayNotUse are the doors of the standard library.
var pureMayNotUse = []string{"net", "net/http", "os/exec", "database/sql"}

// drivers, and the packages that may hold them: a plugin has at most one.
var drivers = map[string][]string{
	"github.com/twmb/franz-go/":    {"internal/kafka", "internal/plugtest", "internal/sandbox", "internal/books", "internal/generate", "internal/demo", "internal/dlq", "internal/trace", "plugins/redpanda", "tests", "cmd/ebbgate"},
	"github.com/ClickHouse/":       {"internal/clickhouse", "internal/plugtest", "internal/sandbox", "internal/books", "internal/demo", "plugins/clickhouse", "tests", "cmd/ebbgate"},
	"github.com/jackc/pgx/":        {"internal/postgres", "internal/stitch", "internal/demo", "internal/plugtest", "internal/sandbox", "plugins/staging", "tests", "cmd/ebbgate"},
	"github.com/ebitengine/purego": {"internal/sandbox"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.Output()
	require.NoError(t, err)
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}

func short(importPath string) string { return strings.TrimPrefix(importPath, module) }

func under(pkg string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return pkg == root || strings.HasPrefix(pkg, root+"/") })
}

func ours(importPath string) bool { return strings.HasPrefix(importPath, module) }

func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

func TestPurePackagesKnowNothingOfTheOutside(t *testing.T) {
	for _, p := range packages(t) {
		if !under(short(p.ImportPath), pure) {
			continue
		}
		for _, imp := range p.Imports {
			switch {
			case ours(imp):
				require.True(t, under(short(imp), pure), "%s is pure and must not import %s", short(p.ImportPath), short(imp))
			case standard(imp):
				require.NotContains(t, pureMayNotUse, imp, "%s is pure", short(p.ImportPath))
			default:
				require.True(t, slices.ContainsFunc(pureMayUse, func(ok string) bool { return strings.HasPrefix(imp, ok) }),
					"%s is pure and must not import %s", short(p.ImportPath), imp)
			}
		}
	}
}

func TestEventIsTheGround(t *testing.T) {
	for _, p := range packages(t) {
		if short(p.ImportPath) == "internal/event" {
			for _, imp := range p.Imports {
				require.False(t, ours(imp), "internal/event must not import %s", imp)
			}
		}
	}
}

func TestPluginsDoNotKnowEachOther(t *testing.T) {
	for _, p := range packages(t) {
		from := short(p.ImportPath)
		if path.Dir(from) != "plugins" || from == "plugins/all" {
			continue
		}
		for _, imp := range p.Imports {
			require.False(t, strings.HasPrefix(short(imp), "plugins/"), "%s must not import %s", from, short(imp))
		}
	}
}

func TestDriversStayWhereTheyBelong(t *testing.T) {
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			for driver, homes := range drivers {
				if strings.HasPrefix(imp, driver) {
					require.True(t, under(short(p.ImportPath), homes), "%s must not import %s", short(p.ImportPath), imp)
				}
			}
		}
	}
}

func TestNobodyImportsTheTestHarness(t *testing.T) {
	for _, p := range packages(t) {
		from := short(p.ImportPath)
		if from == "internal/plugtest" || strings.HasPrefix(from, "tests/") {
			continue
		}
		require.NotContains(t, p.Imports, module+"internal/plugtest", "%s is not a test", from)
	}
}

func TestPipelinesHoldNoGo(t *testing.T) {
	for _, p := range packages(t) {
		require.False(t, strings.HasPrefix(short(p.ImportPath), "pipelines"), "%s", p.ImportPath)
	}
}
