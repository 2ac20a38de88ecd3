package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/writekey"
)

func keysWriteKeyCommand() *cli.Command {
	return &cli.Command{
		Name:      "write-key",
		Usage:     "Make a write key for an SDK, and the file with its hash for the collector",
		ArgsUsage: "SOURCE",
		Description: `Prints the key, which goes into the SDK's configuration, and writes its hash into DIR/SOURCE.sha256, which a source of the
collector names in write_keys. The key itself is kept nowhere. A file that exists is never overwritten: to replace a key, make
one under another name, list both, and take the old one out when no SDK has it any more.

Examples:
  ebbgate keys write-key web_app
  ebbgate keys write-key web_app-2`,
		Flags: []cli.Flag{&cli.StringFlag{
			Name: "dir", Value: ".ebbgate/secrets", EnvVars: []string{sandbox.EnvSecrets}, Usage: "the folder of secrets",
		}},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return cli.Exit("name one source, after the flags", 1)
			}
			key, file, err := writekey.Create(c.String("dir"), c.Args().First())
			if err != nil {
				return cli.Exit(err, 1)
			}
			fmt.Fprintf(c.App.ErrWriter, "Wrote %s. Give the SDK this key; it is shown once:\n", file)
			_, err = fmt.Fprintln(c.App.Writer, key)
			return err
		},
	}
}
