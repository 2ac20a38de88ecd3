package conformance

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
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

// components registers ours into an environment that holds nothing else, which is also how the test knows which are ours.
func components(t *testing.T) []component {
	t.Helper()
	env := service.NewEmptyEnvironment()
	require.NoError(t, all.Register(env, bloblang.NewEmptyEnvironment()))
	var found []component
	walk := func(kind string, walk func(func(string, *service.ConfigView))) {
		walk(func(name string, view *service.ConfigView) { found = append(found, component{kind, name, view}) })
	}
	walk("input", env.WalkInputs)
	walk("output", env.WalkOutputs)
	walk("processor", env.WalkProcessors)
	walk("metric", env.WalkMetrics)
	walk("tracer", env.WalkTracers)
	require.NotEmpty(t, found)
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
				require.NotEmpty(t, strings.TrimSpace(field.Description), "field %s needs a description", field.FullName)
			}
		})
	}
}

func TestExamplesLint(t *testing.T) {
	env, err := all.Environment(false)
	require.NoError(t, err)
	linter := env.FullConfigSchema("test", "test").NewStreamConfigLinter()
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
	for _, c := range components(t) {
		page, err := c.view.RenderDocs()
		require.NoError(t, err)
		file := filepath.Join(dir, c.kind+"-"+c.name+".md")
		if *update {
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.WriteFile(file, page, 0o644))
			continue
		}
		have, err := os.ReadFile(file)
		require.NoError(t, err, "run: go test ./tests/conformance -update")
		require.Equal(t, string(page), string(have), "run: go test ./tests/conformance -update")
	}
}
