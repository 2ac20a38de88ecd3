// Package stock looks at the engine without our components in it, which is why it must not import them.
package stock

import (
	"os"
	"regexp"
	"testing"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"
)

// The registry replaces a component of the same name without a word, so our names must be new.
func TestOurNamesAreNotTakenByTheEngine(t *testing.T) {
	source, err := os.ReadFile("../../../plugins/all/all.go")
	require.NoError(t, err)
	listed := regexp.MustCompile(`\{"([a-z0-9_]+)", \w+\.Register\}`).FindAllStringSubmatch(string(source), -1)
	require.NotEmpty(t, listed)

	stock := map[string]bool{}
	note := func(name string, _ *service.ConfigView) { stock[name] = true }
	env := service.GlobalEnvironment()
	env.WalkInputs(note)
	env.WalkOutputs(note)
	env.WalkProcessors(note)
	require.True(t, stock["mapping"], "the engine's components are loaded")
	for _, match := range listed {
		require.False(t, stock[match[1]], "%s is a stock component", match[1])
	}
}
