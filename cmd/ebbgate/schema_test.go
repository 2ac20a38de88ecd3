package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
	"gopkg.in/yaml.v3"

	"github.com/ebbgate/ebbgate/internal/workspace"
)

// runCommand runs one of our commands and returns what it says and its exit code.
func runCommand(t *testing.T, command *cli.Command, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	app := &cli.App{Name: "ebbgate", Writer: &out, ErrWriter: &out, Commands: []*cli.Command{strict(command)}, ExitErrHandler: func(*cli.Context, error) {}}
	err := app.Run(append([]string{"ebbgate", command.Name}, args...))
	if err != nil {
		out.WriteString(err.Error())
	}
	return out.String(), exitCode(err)
}

func TestSchemaNamesWhatItKnows(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "name one schema: contract, pipeline, policy, topics"},
		{[]string{"policy", "topics"}, "name one schema"},
		{[]string{"polcy"}, `no schema is called "polcy": use one of contract, pipeline, policy, topics`},
	} {
		out, code := runCommand(t, schemaCommand(), test.args...)
		assert.Equal(t, 1, code)
		assert.Contains(t, out, test.want)
	}
	for _, name := range schemaNames() {
		out, code := runCommand(t, schemaCommand(), name)
		require.Zero(t, code, out)
		_, err := validator.UnmarshalJSON(bytes.NewReader([]byte(out)))
		assert.NoError(t, err, name)
	}
}

func pipelineValidator(t *testing.T) func(src string) error {
	t.Helper()
	text, err := schemaText(pipelineSchema)
	require.NoError(t, err)
	doc, err := validator.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := validator.NewCompiler()
	require.NoError(t, c.AddResource("pipeline.json", doc))
	s, err := c.Compile("pipeline.json")
	require.NoError(t, err)
	return func(src string) error {
		var v any
		require.NoError(t, yaml.Unmarshal([]byte(src), &v))
		return s.Validate(v)
	}
}

// Whatever of the shipped workspace the engine reads is valid, unit tests and what `ebbgate init` adds among it.
func TestPipelineSchemaTakesShippedFiles(t *testing.T) {
	atRoot(t)
	validate := pipelineValidator(t)
	files, err := workspace.EngineFiles(os.DirFS(shipped), true)
	require.NoError(t, err)
	require.Greater(t, len(files), 6)
	for i := range files {
		files[i] = filepath.Join(shipped, files[i])
	}
	for _, file := range append(files, "internal/starter/files/publish.yaml") {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NoError(t, validate(string(src)), file)
	}
}

func TestPipelineSchemaRefusesWhatLintRefuses(t *testing.T) {
	validate := pipelineValidator(t)
	for name, src := range map[string]string{
		"a component nobody knows": "output: { redpnda: {} }",
		"a refused component":      "output: { stdout: {} }",
		"a refused processor":      "pipeline: { processors: [ { catch: [] } ] }",
		"a field nobody knows":     "pipeline: { processors: [ { redact: { zzz: 1 } } ] }",
		"a section nobody knows":   "pipelin: {}",
		"a list for a text":        "input: { redpanda: { seed_brokers: [ a ], topics: [ b ], consumer_group: [ c ] } }",
		"a text for a list":        "input: { redpanda: { seed_brokers: [ a ], topics: b, consumer_group: c } }",
		"a text for a number":      "output: { redpanda: { seed_brokers: [ a ], topic: b, max_in_flight: many } }",
	} {
		assert.Error(t, validate(src), name)
	}
	for name, src := range map[string]string{
		"a variable for a number": "output: { redpanda: { seed_brokers: [ a ], topic: b, max_in_flight: \"${N:4}\" } }",
		"a number for a text":     "output: { redpanda: { seed_brokers: [ a ], topic: 7 } }",
		"exporters":               "{ metrics: { prometheus: {} }, tracer: { open_telemetry_collector: {} } }",
	} {
		assert.NoError(t, validate(src), name)
	}
}
