package mapping

import (
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"
)

func TestAFailureInsideAFlowQuotesNothing(t *testing.T) {
	const mended = "{ mapping: 'root = {}' }"
	for name, yaml := range map[string]string{
		"check":                   "switch: [ { check: this.email.number() > 1, processors: [ " + mended + " ] } ]",
		"second check":            "switch: [ { check: 'false', processors: [ " + mended + " ] }, { check: throw(this.email), processors: [ " + mended + " ] } ]",
		"check without a boolean": "switch: [ { check: this.email, processors: [ " + mended + " ] } ]",
		"inside a case":           "switch: [ { processors: [ { mapping: root = throw(this.email) } ] } ]",
		"request map":             "branch: { request_map: root = throw(this.email), processors: [ " + mended + " ] }",
		"result map":              "branch: { processors: [ { noop: {} } ], result_map: root.n = this.email.number() }",
		"inside a branch":         "branch: { processors: [ { mapping: root = throw(this.email) } ] }",
		"branch that filters":     "branch: { processors: [ { mapping: root = deleted() } ] }",
		"nested":                  "switch: [ { processors: [ { branch: { request_map: root = throw(this.email), processors: [ " + mended + " ] } } ] } ]",
	} {
		t.Run(name, func(t *testing.T) {
			out, log := run(t, yaml, `{"email":"`+private+`"}`)
			require.Len(t, out, 1)
			require.Error(t, out[0].GetError(), "the message goes on flagged")
			require.NotContains(t, out[0].GetError().Error(), "ada@")
			require.Contains(t, log, "level=ERROR")
			require.NotContains(t, log, "ada@")
		})
	}
}

// flows are run by the engine's own components and by ours.
var flows = []string{
	"switch: []",
	"switch: [ { check: this.a == 1, processors: [ { mapping: root.is = 1 } ] }, { processors: [ { mapping: root.is = 2 } ] } ]",
	"switch: [ { check: this.a == 2, processors: [ { mapping: root.is = 1 } ] }, { processors: [ { mapping: root.is = 2 } ] } ]",
	"switch: [ { check: this.a == 2, processors: [ { mapping: root.is = 1 } ] } ]",
	"switch: [ { fallthrough: true, processors: [ { mutation: root.first = true } ] }, { check: 'false', processors: [ { mutation: root.second = true } ] } ]",
	"switch: [ { continue: true, processors: [ { mutation: root.first = true } ] }, { check: 'this.first', processors: [ { mutation: root.second = true } ] } ]",
	"switch: [ { processors: [ { mapping: root = deleted() } ] } ]",
	"switch: [ { check: \"let one = 1\\nroot = this.a == $one\", processors: [ { mapping: root.is = 1 } ] } ]",
	"switch: [ { check: this.missing, processors: [ { mapping: root.is = 1 } ] } ]",
	"switch: [ { check: deleted(), processors: [ { mapping: root.is = 1 } ] } ]",
	"branch: { processors: [ { mapping: root.is = 1 } ] }",
	"branch: { processors: [ { mapping: root.is = 1 } ], result_map: root.result = this }",
	"branch: { request_map: root.asked = this.a, processors: [ { mutation: root.is = 1 } ], result_map: root.result = this }",
	"branch: { request_map: meta m = this.a.string(), processors: [ { mapping: root = metadata(\"m\") } ], result_map: root.result = content().string() }",
	"branch: { request_map: root = deleted(), processors: [ { mapping: root.is = 1 } ], result_map: root.result = this }",
	"branch: { processors: [ { mapping: root = throw(\"x\") } ], result_map: root.result = this }",
	"branch: { processors: [ { mapping: root = deleted() } ] }",
	"branch: { processors: [ { noop: {} } ], result_map: root = deleted() }",
}

func TestFlowsDoWhatTheEnginesDo(t *testing.T) {
	for _, yaml := range flows {
		t.Run(yaml, func(t *testing.T) {
			require.Equal(t, summary(t, service.NewEnvironment(), yaml), summary(t, replaced(t), yaml))
		})
	}
}

// summary is what came out: content, and whether it is flagged.
func summary(t *testing.T, env *service.Environment, yaml string) (lines []string) {
	out, _ := runIn(t, env, yaml, `{"a":1}`, `{"a":2}`, `{"a":1,"b":3}`)
	for _, msg := range out {
		body, err := msg.AsBytes()
		require.NoError(t, err)
		line := string(body)
		if msg.GetError() != nil {
			line += " flagged"
		}
		lines = append(lines, line)
	}
	return lines
}

// The engine's own loses what falls through the last case.
func TestWhatFallsThroughTheLastCaseGoesOn(t *testing.T) {
	require.Equal(t, []string{`{"is":1}`, `{"a":2}`, `{"is":1}`}, summary(t, replaced(t),
		"switch: [ { check: this.a == 1, fallthrough: true, processors: [ { mapping: root.is = 1 } ] } ]"))
}
