package bloblang

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/mask"
)

// environment returns an environment with our plugins, and keys of its own.
func environment(t *testing.T) *bloblang.Environment {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(path))
	t.Setenv(keys.EnvironmentVariable, path)
	env := bloblang.NewEnvironment()
	require.NoError(t, Register(env))
	return env
}

func query(env *bloblang.Environment, mapping, input string) (string, error) {
	executor, err := env.Parse(mapping)
	if err != nil {
		return "", fmt.Errorf("parsing: %w", err)
	}
	var value any
	decoder := json.NewDecoder(strings.NewReader(input))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return "", err
	}
	result, err := executor.Query(value)
	if err != nil {
		return "", err
	}
	out, err := json.Marshal(result)
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(out)), err
}

func TestEveryExampleRuns(t *testing.T) {
	env := environment(t)
	examples := 0
	run := func(name string, data bloblang.TemplateExampleData) {
		for _, result := range data.Results {
			got, err := query(env, data.Mapping, result[0])
			require.NoError(t, err, name)
			assert.Equal(t, result[1], got, name)
			examples++
		}
	}
	names := map[string]bool{}
	env.WalkMethods(func(name string, view *bloblang.MethodView) {
		if strings.HasPrefix(name, "ebb_") {
			names[name] = true
			assert.NotEmpty(t, view.TemplateData().Description, name)
			assert.NotEmpty(t, view.TemplateData().Examples, name)
			for _, example := range view.TemplateData().Examples {
				assert.NotEmpty(t, example.Results, name)
				run(name, example)
			}
		}
	})
	env.WalkFunctions(func(name string, view *bloblang.FunctionView) {
		if strings.HasPrefix(name, "ebb_") {
			names[name] = true
			for _, example := range view.TemplateData().Examples {
				run(name, example)
			}
		}
	})
	for _, name := range []string{"mask_email", "mask_phone", "last_four", "truncate_ip", "truncate_time", "truncate", "bucket", "scrub", "tokenize", "event_id"} {
		assert.True(t, names["ebb_"+name], name)
	}
	assert.Len(t, names, 10)
	assert.GreaterOrEqual(t, examples, 14)
}

func TestErrorsNeverQuoteAValue(t *testing.T) {
	env := environment(t)
	inputs := []string{
		`{"v":"canary-not-understood \u0000"}`, `{"v":{"canary":"canary"}}`, `{"v":["canary"]}`, `{"v":null}`, `{"v":true}`, `{"v":8675309.25}`, `{"v":86753090000000000000000}`, `{}`,
	}
	methods := []string{
		"ebb_mask_email()", "ebb_mask_phone()", "ebb_last_four()", "ebb_truncate_ip()", `ebb_truncate_time("day")`, "ebb_bucket([1,2])",
		`ebb_tokenize("analytics", "f", "email")`,
	}
	refused := 0
	for _, method := range methods {
		for _, input := range inputs {
			got, err := query(env, "root = this.v."+method, input)
			if err != nil {
				refused++
				assert.NotContains(t, err.Error(), "canary", "%s of %s", method, input)
				assert.NotContains(t, err.Error(), "8675309", "%s of %s", method, input)
				continue
			}
			assert.True(t, strings.HasPrefix(method, "ebb_bucket"), "%s of %s gave %s", method, input, got)
		}
	}
	assert.GreaterOrEqual(t, refused, 7*7)
	for _, input := range inputs[1:] {
		for _, method := range []string{"ebb_scrub()", "ebb_truncate(3)"} {
			_, err := query(env, "root = this.v."+method, input)
			require.Error(t, err, "%s of %s", method, input)
			assert.NotContains(t, err.Error(), "canary")
		}
	}
}

func TestArgumentsAreChecked(t *testing.T) {
	env := environment(t)
	for _, mapping := range []string{
		`this.v.ebb_truncate_ip(32, 48)`, `this.v.ebb_truncate_ip(24, 65)`, `this.v.ebb_truncate_ip("24", 48)`, `this.v.ebb_truncate_time("week")`, `this.v.ebb_truncate_time()`,
		`this.v.ebb_truncate(0)`, `this.v.ebb_bucket([])`, `this.v.ebb_bucket([2,1])`, `this.v.ebb_bucket(1)`, `this.v.ebb_tokenize("analytics")`,
		`this.v.ebb_tokenize("", "f")`, `this.v.ebb_tokenize("analytics", "")`, `this.v.ebb_tokenize("analytics", "f", "phone")`, `ebb_event_id("", "1")`, `ebb_event_id("stripe", "")`,
		`ebb_event_id("stripe", true)`, `ebb_event_id("stripe", 1.5)`, `ebb_event_id("stripe")`,
	} {
		_, err := env.Parse("root = " + mapping)
		assert.Error(t, err, mapping)
	}
}

func TestTokensAreThoseOfAPolicy(t *testing.T) {
	env := environment(t)
	ring, err := keys.FromEnvironment()
	require.NoError(t, err)
	for value, as := range map[string]string{"u_123": "exact", "42": "exact", "alice@example.com": "email"} {
		transform, err := mask.Parse("tokenize", map[string]any{"as": as})
		require.NoError(t, err)
		want, err := transform.(mask.Keyed).Bind(ring.Token("analytics", "subject.user_id")).Append(nil, []byte(value))
		require.NoError(t, err)
		input, err := json.Marshal(map[string]any{"v": value, "as": as})
		require.NoError(t, err)
		got, err := query(env, `root = this.v.ebb_tokenize("analytics", "subject.user_id", this.as)`, string(input))
		require.NoError(t, err)
		assert.Equal(t, `"`+string(want)+`"`, got)
	}
	number, err := query(env, `root = this.v.ebb_tokenize("analytics", "subject.user_id") == "42".ebb_tokenize("analytics", "subject.user_id")`, `{"v":42}`)
	require.NoError(t, err)
	assert.Equal(t, "true", number)
	other, err := query(env, `root = this.v.ebb_tokenize("analytics", "f") == this.v.ebb_tokenize("activation", "f")`, `{"v":"u_123"}`)
	require.NoError(t, err)
	assert.Equal(t, "false", other)
}

func TestTokenizeWithoutKeysIsRefused(t *testing.T) {
	env := environment(t)
	t.Setenv(keys.EnvironmentVariable, "")
	_, err := env.Parse(`root = this.v.ebb_tokenize("analytics", "f")`)
	require.Error(t, err)
	assert.ErrorContains(t, err, "ebbgate keys init")
	_, err = env.Parse(`root = this.v.ebb_mask_email()`)
	assert.NoError(t, err, "only tokens need keys")
}

func TestTimestampsAndNumbersOfTheEngine(t *testing.T) {
	env := environment(t)
	got, err := query(env, `root = "2026-04-13T10:20:30Z".ts_parse("2006-01-02T15:04:05Z07:00").ebb_truncate_time("month")`, `{}`)
	require.NoError(t, err)
	assert.Equal(t, `"2026-04-01T00:00:00Z"`, got)
	got, err = query(env, `root = [1, 10.0, 2.5 * 10, "7".number()].map_each(v -> v.ebb_bucket([5, 20]))`, `{}`)
	require.NoError(t, err)
	assert.Equal(t, `["<5","5-20",">=20","5-20"]`, got)
	got, err = query(env, `root = 12345678.ebb_last_four()`, `{}`)
	require.NoError(t, err)
	assert.Equal(t, `"****5678"`, got)
	_, err = query(env, `root = this.v.ebb_last_four()`, `{"v":12345678.5}`)
	assert.Error(t, err)
}
