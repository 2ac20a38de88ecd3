package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// The ways to have a ClickHouse, as State.Engine names them.
const (
	EngineEmbedded = "embedded"
	EngineBinary   = "binary"
	EngineExternal = "external"
)

// engine is a resolved ClickHouse: the flags its child is started with.
type engine struct {
	kind  string
	flags []string
}

// findEngine picks the ClickHouse: a server the user runs, else the embedded
// engine from the cache or fetched once, else a binary on PATH.
func findEngine(ctx context.Context, opts Options) (engine, error) {
	if opts.ClickHouseDSN != "" {
		return engine{kind: EngineExternal}, nil
	}
	path, err := Library(ctx, opts.Progress)
	if err == nil {
		return engine{kind: EngineEmbedded, flags: []string{"--library", path}}, nil
	}
	if !errors.Is(err, ErrNoEngine) {
		return engine{}, err
	}
	binary, lookErr := exec.LookPath("clickhouse")
	if lookErr != nil {
		return engine{}, err
	}
	fmt.Fprintf(opts.Messages, "using the ClickHouse on PATH: %s\n", binary)
	return engine{kind: EngineBinary, flags: []string{"--binary", binary}}, nil
}
