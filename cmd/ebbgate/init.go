package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate"
	"github.com/ebbgate/ebbgate/internal/starter"
)

// exitOccupied is the exit code of an init that found something where the workspace should go.
const exitOccupied = 2

func initCommand() *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "Write a workspace to begin with, and its keys",
		ArgsUsage: "DIR",
		Description: `Writes the shipped workspace into a new or empty folder: contracts, policy, topics, streams with their tests, tables, alerts,
JSON Schemas for editors, and new keys. It runs as it is. Nothing is overwritten: a folder that holds anything is refused, except
a .git, and keys that are there are kept.

Exit codes: 0 written; 2 refused because of what is there, nothing was touched; 1 it could not be written, and what was begun is gone.

Examples:
  ebbgate init shop && cd shop && ebbgate lint
  ebbgate init .                            in an empty folder, or one with nothing but a .git`,
		Action: runInit,
	}
}

func runInit(c *cli.Context) error {
	if c.NArg() != 1 || c.Args().First() == "" { // an empty name is a variable that is not set, not the folder one stands in
		return cli.Exit("name one folder, which is new or empty: `ebbgate init shop`", 1)
	}
	dir := filepath.Clean(c.Args().First())
	schemas := map[string][]byte{}
	for _, name := range schemaNames() {
		text, err := schemaText(name)
		if err != nil {
			return cli.Exit(err, 1)
		}
		schemas[name] = text
	}
	result, err := starter.Write(dir, ebbgate.Shipped, schemas)
	switch {
	case errors.Is(err, starter.ErrOccupied):
		return cli.Exit(err, exitOccupied)
	case err != nil:
		return cli.Exit(err, 1)
	}
	keys := "new; keep a copy in your secret store"
	if result.KeptKeys {
		keys = "they were there and are kept"
	}
	_, err = fmt.Fprintf(c.App.Writer, "wrote %d files into %s\nkeys: %s (%s)\n\nNext:\n%s", result.Files, dir, result.Keys, keys, nextSteps(dir))
	return err
}

func nextSteps(dir string) string {
	steps := `  ebbgate lint                               check everything; nothing is contacted
  ebbgate sandbox start --detach             a broker and ClickHouse on this machine
  eval "$(ebbgate sandbox env)"              point this shell at them
  ebbgate topics apply
  ebbgate clickhouse apply
  ebbgate streams -o pipelines/service.yaml pipelines/streams
README.md tells what is where, and how to publish an event.
`
	if dir == "." {
		return steps
	}
	return "  cd " + dir + "\n" + steps
}
