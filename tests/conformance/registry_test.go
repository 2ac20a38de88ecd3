package conformance

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/plugins/all"
)

var update = flag.Bool("update", false, "rewrite generated reference pages")

// component is one of ours, as the registry describes it.
type component struct {
	kind string
	name string
	view *service.ConfigView
}

// services are the engine's metrics exporters and tracers. Every environment shows those of the process, ours too, so that
// an empty one cannot tell which are ours.
var services = []string{"metric json_api", "metric logger", "metric none", "tracer none"}

// components registers ours into an environment that holds nothing else but the few the engine always brings, which is
// also how the test knows which are ours.
func components(t *testing.T) []component {
	t.Helper()
	env := service.NewEmptyEnvironment()
	stock := map[string]bool{}
	for _, name := range services {
		stock[name] = true
	}
	for _, c := range walkAll(env) {
		if c.kind != "metric" && c.kind != "tracer" {
			stock[c.kind+" "+c.name] = true
		}
	}
	require.NoError(t, all.Register(env, bloblang.NewEmptyEnvironment()))
	found := slices.DeleteFunc(walkAll(env), func(c component) bool { return stock[c.kind+" "+c.name] })
	require.NotEmpty(t, found)
	return found
}

func walkAll(env *service.Environment) (found []component) {
	walk := func(kind string, walk func(func(string, *service.ConfigView))) {
		walk(func(name string, view *service.ConfigView) { found = append(found, component{kind, name, view}) })
	}
	walk("input", env.WalkInputs)
	walk("output", env.WalkOutputs)
	walk("processor", env.WalkProcessors)
	walk("metric", env.WalkMetrics)
	walk("tracer", env.WalkTracers)
	return found
}

func TestEveryComponentDescribesItself(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)
	version := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	for _, c := range components(t) {
		t.Run(c.kind+"/"+c.name, func(t *testing.T) {
			data, err := c.view.TemplateData()
			require.NoError(t, err)
			require.Regexp(t, name, c.name)
			require.Regexp(t, version, data.Version)
			require.Equal(t, "stable", data.Status)
			require.NotEmpty(t, data.Categories)
			require.True(t, strings.HasSuffix(strings.TrimSpace(data.Summary), "."), "a summary is one sentence")
			require.NotEmpty(t, strings.TrimSpace(data.Description))
			require.NotEmpty(t, data.Examples, "show one real use")
			for _, field := range data.Fields {
				require.NotContains(t, field.Description, "missing documentation", "field %s needs a description", field.FullName)
			}
		})
	}
}

func TestExamplesLint(t *testing.T) {
	env, err := all.Environment(false)
	require.NoError(t, err)
	linter := env.FullConfigSchema("test", "test").NewStreamConfigLinter().SetSkipEnvVarCheck(true)
	for _, c := range components(t) {
		t.Run(c.kind+"/"+c.name, func(t *testing.T) {
			data, err := c.view.TemplateData()
			require.NoError(t, err)
			for _, example := range data.Examples {
				lints, err := linter.LintYAML([]byte(example.Config))
				require.NoError(t, err, example.Title)
				require.Empty(t, lints, example.Title)
			}
		})
	}
}

// The reference is what the specs say. Run with -update after an intended change.
func TestReferencePagesAreCurrent(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "reference")
	pages := map[string]string{"README.md": referenceIndex(t)}
	for _, c := range components(t) {
		data, err := c.view.TemplateData()
		require.NoError(t, err)
		pages[c.kind+"-"+c.name+".md"] = referencePage(c.kind, data)
	}
	pages["bloblang.md"] = bloblangPage(t)
	if *update {
		require.NoError(t, os.MkdirAll(dir, 0o755))
		for name, page := range pages {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(page), 0o644))
		}
	}
	for name, page := range pages {
		have, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err, "run: go test ./tests/conformance -update")
		require.Equal(t, page, string(have), "run: go test ./tests/conformance -update")
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, len(pages), "docs/reference holds a page of something that is no more")
}
