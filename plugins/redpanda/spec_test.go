package redpanda

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/keys"
)

func lint(t *testing.T, kind, yaml string) []service.Lint {
	t.Helper()
	linter := environment(t).NewComponentConfigLinter().SetSkipEnvVarCheck(true)
	var lints []service.Lint
	var err error
	if kind == "input" {
		lints, err = linter.LintInputYAML([]byte(yaml))
	} else {
		lints, err = linter.LintOutputYAML([]byte(yaml))
	}
	require.NoError(t, err)
	return lints
}

const (
	minimalInput  = `redpanda: { seed_brokers: [ "x:1" ], topics: [ t ], consumer_group: g %s }`
	minimalOutput = `redpanda: { seed_brokers: [ "x:1" ], topic: t %s }`
)

func TestLint(t *testing.T) {
	for _, c := range []struct {
		kind, extra, want string // want is a part of the complaint, empty for none
	}{
		{"input", "", ""},
		{"input", ", chunk_bytes: 512KiB, memory_limit: 96MiB, chunk_period: 250ms", ""},
		{"input", ", tls: {enabled: true}, sasl: [{mechanism: SCRAM-SHA-512, username: u, password: p}]", ""},
		{"input", ", sasl: [{mechanism: OAUTHBEARER, token: t}]", ""},
		{"input", ", sasl: [{mechanism: SCRAM-SHA-512, username: u}]", "username and password"},
		{"input", ", sasl: [{mechanism: GSSAPI, username: u, password: p}]", "GSSAPI"},
		{"input", ", chunk_offsets: 0", "at least 1"},
		{"input", ", chunk_offsets: 16384", ""},
		{"input", ", chunk_offsets: 16385", "at most 16384"},
		{"input", ", chunk_bytes: lots", "size"},
		{"input", ", chunk_period: soon", "duration"},
		{"input", ", session_timeout: 0s", "duration"},
		{"input", ", quarantine: {max_attempts: 0}", "at least 1"},
		{"input", ", replay_epoch: x", "whole number"},
		{"input", ", auto_replay_nacks: false", "auto_replay_nacks"},
		{"input", ", start_offset: middle", "middle"},
		{"output", "", ""},
		{"output", ", key: '${! @k }', compression: zstd, max_in_flight: 3, metadata: {include_prefixes: [a]}", ""},
		{"output", ", idempotent_write: false", "cannot be turned off"},
		{"output", ", max_in_flight: 0", "at least 1"},
		{"output", ", timeout: never", "duration"},
		{"output", ", compression: rar", "rar"},
	} {
		t.Run(c.kind+c.extra, func(t *testing.T) {
			yaml := minimalInput
			if c.kind == "output" {
				yaml = minimalOutput
			}
			lints := lint(t, c.kind, fmt.Sprintf(yaml, c.extra))
			if c.want == "" {
				assert.Empty(t, lints)
				return
			}
			require.NotEmpty(t, lints)
			assert.Contains(t, fmt.Sprint(lints), c.want)
		})
	}
	assert.NotEmpty(t, lint(t, "input", `redpanda: { seed_brokers: [], topics: [ t ], consumer_group: g }`))
	assert.NotEmpty(t, lint(t, "input", `redpanda: { seed_brokers: [ "x:1" ], topics: [], consumer_group: g }`))
	assert.NotEmpty(t, lint(t, "input", `redpanda: { seed_brokers: [ "x:1" ], topics: [ t ], consumer_group: "" }`))
	assert.NotEmpty(t, lint(t, "output", `redpanda: { seed_brokers: [ "x:1" ] }`))
}

func TestExamplesLint(t *testing.T) {
	env := environment(t)
	views := map[string]*service.ConfigView{}
	for kind, walk := range map[string]func(func(string, *service.ConfigView)){"input": env.WalkInputs, "output": env.WalkOutputs} {
		walk(func(name string, view *service.ConfigView) {
			if name == "redpanda" {
				views[kind] = view
			}
		})
	}
	require.Len(t, views, 2)
	for kind, view := range views {
		data, err := view.TemplateData()
		require.NoError(t, err)
		assert.Equal(t, "0.1.0", data.Version)
		assert.Equal(t, "stable", data.Status)
		require.NotEmpty(t, data.Examples)
		for _, example := range data.Examples {
			t.Run(kind+"/"+example.Title, func(t *testing.T) {
				linter := env.CoreConfigSchema("", "").NewStreamConfigLinter()
				lints, err := linter.LintYAML([]byte(example.Config))
				require.NoError(t, err)
				assert.Empty(t, lints)
			})
		}
	}
}

func parseInput(t *testing.T, extra string) (*input, error) {
	t.Helper()
	yaml := "seed_brokers: [ 'x:1' ]\ntopics: [ t ]\nconsumer_group: g\n" + extra
	conf, err := inputSpec().ParseYAML(yaml, environment(t))
	require.NoError(t, err)
	return newInput(conf, service.MockResources())
}

func TestInputConfiguration(t *testing.T) {
	newBench(t, 1) // sets the keys
	in, err := parseInput(t, "")
	require.NoError(t, err)
	assert.Equal(t, limits{Offsets: 4096, Bytes: 4 << 20}, in.limits)
	assert.Equal(t, time.Second, in.period)
	assert.Equal(t, "events.dlq", in.quarantineTopic)
	assert.Equal(t, startEarliest, in.startOffset)

	in, err = parseInput(t, "memory_limit: 96MiB\nstart_from_oldest: false")
	require.NoError(t, err)
	assert.Equal(t, limits{Offsets: 4096, Bytes: 4 << 20}, in.limits)
	assert.Equal(t, startLatest, in.startOffset)
	for memory, want := range map[int64]limits{
		1 << 20: {Offsets: 256, Bytes: 128 << 10}, 24 << 20: {Offsets: 1024, Bytes: 1 << 20}, 1 << 40: {Offsets: 16384, Bytes: 16 << 20},
	} {
		assert.Equal(t, want, limitsWithin(memory))
	}

	for _, bad := range []string{"chunk_offsets: 0", "chunk_offsets: 16385", "chunk_bytes: '0'", "chunk_period: -1s", "quarantine: {max_attempts: 0}", "fetch_max_bytes: x"} {
		_, err := parseInput(t, bad)
		assert.Error(t, err, bad)
	}
}

func TestInputRefusesToStartWithoutTheKeysThatEncryptTheQuarantine(t *testing.T) {
	t.Setenv(keys.EnvironmentVariable, t.TempDir()+"/absent")
	_, err := parseInput(t, "")
	require.ErrorContains(t, err, "ebbgate keys init")
	_, err = parseInput(t, "quarantine: {topic: ''}")
	require.NoError(t, err, "without a quarantine nothing is encrypted")
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	newBench(t, 1)
	in, err := parseInput(t, "sasl: [{mechanism: PLAIN, username: u, password: hunter2}]")
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.False(t, strings.Contains(fmt.Sprintf(verb, in.client), "hunter2"), verb)
	}
}
