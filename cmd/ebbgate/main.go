// Command ebbgate runs event pipelines that cannot leak: the Benthos engine with our gate, sinks and tools.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/plugins/all"
)

// Build stamps, set by the linker.
var (
	version   = "dev"
	dateBuilt = "unknown"
)

const (
	unsafeFlag = "--unsafe-components"
	apiFlag    = "--with-api" // of ours
	noAPIFlag  = "--no-api"   // of the engine
)

func main() {
	code, err := run(context.Background(), os.Args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "ebbgate: %v\n", err)
	}
	os.Exit(code)
}

// run executes one command line and returns the exit code: 0 for success, 1 for a failure the command has explained.
func run(ctx context.Context, args []string) (int, error) {
	args, unsafe := takeFlag(args, unsafeFlag)
	args = withoutAPI(args)
	args, ourLint := lintsWorkspace(args)
	env, err := all.Environment(unsafe)
	if err != nil {
		return 1, err
	}
	cleanUp, err := prepareUnitTests(args)
	if err != nil {
		return 1, err
	}
	defer cleanUp()
	ours := commands()
	if ourLint {
		ours = append(ours, lintCommand(env))
	}
	return service.RunCLIToCode(ctx, append(commandOptions(ours),
		service.CLIOptSetArgs(args...),
		service.CLIOptSetBinaryName("ebbgate"),
		service.CLIOptSetProductName("Ebbgate"),
		service.CLIOptSetVersion(version, dateBuilt),
		service.CLIOptSetDocumentationURL("https://github.com/ebbgate/ebbgate/tree/main/docs"),
		service.CLIOptSetDefaultConfigPaths("pipelines/service.yaml"),
		service.CLIOptSetEnvironment(env),
		service.CLIOptSetMainSchemaFrom(func() *service.ConfigSchema { return schema(env) }),
		service.CLIOptCustomRunFlags([]cli.Flag{
			&cli.BoolFlag{
				Name:  unsafeFlag[2:],
				Usage: "allow stock components that can lose events or carry them past the gate; for experiments only",
			},
			&cli.BoolFlag{
				Name:  apiFlag[2:],
				Usage: "streams: open the REST API, which has no authentication; without this flag it is closed",
			},
		}, func(*cli.Context) error { return nil }),
	)...)
}

// schema is the engine's configuration with the house's defaults: the service API answers on loopback only.
func schema(env *service.Environment) *service.ConfigSchema {
	schema := env.FullConfigSchema(version, dateBuilt)
	schema.SetFieldDefault("127.0.0.1:4195", "http", "address")
	return schema
}

// withoutAPI closes the REST API of streams mode unless it is asked for: it has no authentication, and whoever reaches it can
// start a stream or read the configuration of one, passwords included.
func withoutAPI(args []string) []string {
	args, wanted := takeFlag(args, apiFlag)
	i := slices.Index(args, "streams")
	if wanted || i < 0 || subcommand(args) != "streams" || slices.Contains(args, noAPIFlag) {
		return args
	}
	return slices.Insert(slices.Clone(args), i+1, noAPIFlag)
}

// takeFlag removes a flag from wherever it stands. Which components exist is settled before any command is parsed, so that
// run, streams, lint, the REST API and templates all see the same set.
func takeFlag(args []string, flag string) ([]string, bool) {
	i := slices.Index(args, flag)
	if i < 0 {
		return args, false
	}
	return slices.Delete(slices.Clone(args), i, i+1), true
}

func commandOptions(ours []*cli.Command) []service.CLIOptFunc {
	var opts []service.CLIOptFunc
	for _, command := range ours {
		opts = append(opts, service.CLIOptAddCommand(strict(command)))
	}
	return opts
}

// commands are ours; the engine adds its own.
func commands() []*cli.Command {
	return []*cli.Command{
		initCommand(),
		demoCommand(),
		sandboxCommand(),
		keysCommand(),
		topicsCommand(),
		dlqCommand(),
		clickhouseCommand(),
		stagingCommand(),
		policyCommand(),
		schemaCommand(),
		traceCommand(),
		receiptsCommand(),
		webhookCommand(),
		consentCommand(),
		suppressionCommand(),
		identityCommand(),
		generateCommand(),
	}
}
