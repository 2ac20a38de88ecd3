package conformance

import (
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/plugins/all"
)

// Each of these loses events or carries them past the gate; lint and a started stream must refuse them alike and say what
// to do instead.
func TestRefusedCompositionsExplainThemselves(t *testing.T) {
	cases := map[string]struct{ yaml, says string }{
		"stock output":          {"output: {stdout: {}}", "without a seal"},
		"file output":           {"output: {file: {path: x, codec: lines}}", "without a seal"},
		"http output":           {"output: {http_client: {url: 'http://127.0.0.1:1'}}", "without a seal"},
		"broker output":         {"output: {broker: {outputs: [{redpanda: {seed_brokers: [a], topic: b}}]}}", "topic: ${! @topic }"},
		"switch output":         {"output: {switch: {cases: []}}", "splits a batch"},
		"drop_on":               {"output: {drop_on: {error: true, output: {reject: x}}}", "not delivered"},
		"memory buffer":         {"buffer: {memory: {}}", "before they are durable"},
		"catch":                 {"pipeline: {processors: [{catch: []}]}", "lets the original event go on"},
		"dedupe":                {"pipeline: {processors: [{dedupe: {cache: c, key: k}}]}", "before it is durable"},
		"archive":               {"pipeline: {processors: [{archive: {format: lines}}]}", "no longer accounted for"},
		"try_catch":             {"pipeline: {processors: [{try_catch: {processors: []}}]}", "clears the failure"},
		"bounds_check":          {"pipeline: {processors: [{bounds_check: {max_part_size: 10}}]}", "without a word"},
		"metric":                {"pipeline: {processors: [{metric: {type: counter, name: x}}]}", "quote the event"},
		"split":                 {"pipeline: {processors: [{split: {size: 1}}]}", "cuts a chunk"},
		"while":                 {"pipeline: {processors: [{while: {check: 'false', processors: []}}]}", "prints the event"},
		"workflow":              {"pipeline: {processors: [{workflow: {branches: {}}}]}", "prints the event"},
		"cached":                {"pipeline: {processors: [{cached: {cache: c, key: k, processors: []}}]}", "prints the event"},
		"sleep":                 {"pipeline: {processors: [{sleep: {duration: 1s}}]}", "prints the event"},
		"read_until":            {"input: {read_until: {check: 'false', input: {generate: {mapping: root = 1}}}}", "prints the event"},
		"http processor":        {"pipeline: {processors: [{http: {url: 'http://127.0.0.1:1'}}]}", "without a seal"},
		"nested in a processor": {"pipeline: {processors: [{try: [{catch: []}]}]}", "lets the original event go on"},
		"http_server input":     {"input: {http_server: {path: /}}", "redpanda input"},
	}
	env, err := all.Environment(false)
	require.NoError(t, err)
	linter := env.FullConfigSchema("test", "test").NewStreamConfigLinter()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			lints, err := linter.LintYAML([]byte(test.yaml))
			require.NoError(t, err)
			require.NotEmpty(t, lints)
			require.Contains(t, lints[0].Error(), test.says)
			require.Contains(t, lints[0].Error(), "--unsafe-components")

			builder := env.NewStreamBuilder()
			err = builder.SetYAML(test.yaml)
			if err == nil {
				_, err = builder.Build()
			}
			require.Error(t, err, "a stream must not start either")
		})
	}
}

func TestUnsafeEnvironmentHasTheWholeEngine(t *testing.T) {
	env, err := all.Environment(true)
	require.NoError(t, err)
	lints, err := env.FullConfigSchema("test", "test").NewStreamConfigLinter().LintYAML([]byte("output: {stdout: {}}"))
	require.NoError(t, err)
	require.Empty(t, lints)
}

// What is neither allowed nor refused must not exist.
func TestNothingElseIsRegistered(t *testing.T) {
	safe, err := all.Environment(false)
	require.NoError(t, err)
	known := map[string]bool{}
	safe.WalkOutputs(func(name string, view *service.ConfigView) { known[name] = !view.IsDeprecated() })
	for name, usable := range known {
		if usable {
			require.Contains(t, []string{"clickhouse", "clickhouse_audit", "redpanda", "reject", "resource", "staging"}, name)
		}
	}
}
