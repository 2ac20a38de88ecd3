package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"
)

// strict makes a command and its subcommands refuse what would be overlooked otherwise: a subcommand that does not exist, and
// arguments where none are taken. `demo stpo` must not run the demo.
func strict(command *cli.Command) *cli.Command {
	for _, sub := range command.Subcommands {
		strict(sub)
	}
	if command.ArgsUsage == "" {
		command.Action = withoutArguments(command.Action, len(command.Subcommands) > 0)
	}
	return command
}

func withoutArguments(action cli.ActionFunc, group bool) cli.ActionFunc {
	return func(c *cli.Context) error {
		switch {
		case c.Args().Present() && group:
			return fmt.Errorf("unknown command %q, see `%s --help`", c.Args().First(), c.Command.HelpName)
		case c.Args().Present():
			return fmt.Errorf("unexpected argument %q: this command takes flags only, see `%s --help`", c.Args().First(), c.Command.HelpName)
		case action == nil:
			return cli.ShowSubcommandHelp(c)
		}
		return action(c)
	}
}

// brokerFlags say where the brokers are and how to sign in.
func brokerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "brokers", Value: "127.0.0.1:9092", EnvVars: []string{"EBBGATE_BROKERS"}, Usage: "addresses of brokers, separated by commas"},
		&cli.BoolFlag{Name: "tls", Usage: "connect with TLS"},
		&cli.StringFlag{Name: "sasl-mechanism", Usage: "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; the password or token comes from EBBGATE_SASL_PASSWORD"},
		&cli.StringFlag{Name: "user", Usage: "the user to authenticate as"},
	}
}

// outputFlag chooses between a table for people and JSON for programs.
func outputFlag() cli.Flag { return formatFlag("table", "json") }

// formatFlag is --output; the first of the formats is the default, and others are refused.
func formatFlag(formats ...string) cli.Flag {
	return &cli.StringFlag{
		Name: "output", Value: formats[0], Usage: strings.Join(formats, " or "),
		Action: func(_ *cli.Context, format string) error {
			if !slices.Contains(formats, format) {
				return fmt.Errorf("--output is %q: use %s", format, strings.Join(formats, " or "))
			}
			return nil
		},
	}
}

// setAt is the context whose command line sets the flag. Commands and their subcommands share flags, and a flag holds
// wherever it stands: `sandbox --dir X stop` must not stop another sandbox.
func setAt(c *cli.Context, flag string) *cli.Context {
	for _, at := range c.Lineage() {
		if at.IsSet(flag) {
			return at
		}
	}
	return c
}

// answers asks a broker for a sign of life, so that a wrong address is told at once and not after a wait.
func answers(ctx context.Context, brokers string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...))
	if err != nil {
		return fmt.Errorf("reading --brokers: %w", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		return fmt.Errorf("reaching the broker at %s: %w; set --brokers or EBBGATE_BROKERS", brokers, err)
	}
	return nil
}
