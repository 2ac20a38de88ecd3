package main

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// keysCommand is `ebbgate keys`: the workspace's master key file.
func keysCommand() *cli.Command {
	return &cli.Command{
		Name:  "keys",
		Usage: "Make, list and rotate the master keys of a workspace",
		Description: `Seals, tokens, subject pseudonyms and the quarantine's encryption all derive from one private file. Every process
of a workspace needs the same file; it names it in ` + keys.EnvironmentVariable + `. Keep a copy in your secret store: without it
sealed records cannot be delivered and quarantined records cannot be read.

Examples:
  ebbgate keys init
  export ` + keys.EnvironmentVariable + `=` + keys.DefaultPath + `
  ebbgate keys show
  ebbgate keys rotate`,
		Subcommands: []*cli.Command{keysInitCommand(), keysShowCommand(), keysRotateCommand(), keysWriteKeyCommand()},
	}
}

func keysInitCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "Write a new master key file, mode 0600",
		Description: `An existing file is never overwritten.

Examples:
  ebbgate keys init
  ebbgate keys init --path /etc/ebbgate/keys`,
		Flags: []cli.Flag{keysPathFlag()},
		Action: func(c *cli.Context) error {
			if err := keys.Init(c.String("path")); err != nil {
				return cli.Exit(err, 1)
			}
			return printInit(c.App.Writer, c.String("path"))
		},
	}
}

func keysShowCommand() *cli.Command {
	return &cli.Command{
		Name:  "show",
		Usage: "List the key ids, oldest first, without the keys",
		Description: `The current key signs and encrypts; all keys of the file are accepted. Subject pseudonyms stay with the oldest.

Examples:
  ebbgate keys show
  ebbgate keys show --path /etc/ebbgate/keys`,
		Flags: []cli.Flag{keysPathFlag()},
		Action: func(c *cli.Context) error {
			ring, err := keys.Load(c.String("path"))
			if err != nil {
				return cli.Exit(err, 1)
			}
			return printKeys(c.App.Writer, ring.Keys())
		},
	}
}

func keysRotateCommand() *cli.Command {
	return &cli.Command{
		Name:  "rotate",
		Usage: "Put a new current key on top of the master key file",
		Description: `Earlier keys stay and are still accepted. Processes load the file when they start: give every process the new file and
restart first those that verify (sinks), then those that seal (redact). Tokens made from now on differ from earlier ones.
Subject pseudonyms do not change. Never remove the last line: consent, suppressions and erasures are found through it.

Examples:
  ebbgate keys rotate
  ebbgate keys rotate --path /etc/ebbgate/keys`,
		Flags: []cli.Flag{keysPathFlag()},
		Action: func(c *cli.Context) error {
			id, err := keys.Rotate(c.String("path"))
			if err != nil {
				return cli.Exit(err, 1)
			}
			_, err = fmt.Fprintf(c.App.Writer, "New current key %s in %s. Restart sinks first, then the stages that seal.\n", id, c.String("path"))
			return err
		},
	}
}

func keysPathFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "path", Value: keys.DefaultPath, EnvVars: []string{keys.EnvironmentVariable},
		Usage: "master key `FILE`",
	}
}

func printInit(w io.Writer, path string) error {
	if _, err := fmt.Fprintf(w, "Wrote %s. Keep a copy in your secret store.\n", path); err != nil {
		return err
	}
	if os.Getenv(keys.EnvironmentVariable) == path {
		return nil
	}
	_, err := fmt.Fprintf(w, "Next: export %s=%s\n", keys.EnvironmentVariable, path)
	return err
}

func printKeys(w io.Writer, infos []keys.Info) error {
	for i := range infos {
		info, uses := infos[len(infos)-1-i], ""
		if info.Current {
			uses += "  current"
		}
		if info.Subjects {
			uses += "  subject pseudonyms"
		}
		if _, err := fmt.Fprintf(w, "%d  %s%s\n", i+1, info.ID, uses); err != nil {
			return err
		}
	}
	return nil
}
