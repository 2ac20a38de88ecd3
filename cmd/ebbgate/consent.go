package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

func consentCommand() *cli.Command {
	return &cli.Command{
		Name:  "consent",
		Usage: "Show or change the recorded consent of a subject",
		Description: `Consent records lie in the topic with role consent, keyed by a pseudonym of the subject. A change holds
from the next event on: at the govern stage and again just before every export.

Examples:
  ebbgate consent show --user-id u_123
  ebbgate consent set --user-id u_123 marketing=false
  ebbgate consent set --anonymous-id a-9 --source banner analytics=true marketing=false`,
		Subcommands: []*cli.Command{
			{Name: "show", Usage: "Print the current record of a subject", Flags: subjectFlags(), Action: consentShow},
			{
				Name: "set", Usage: "State purposes of a subject; those not named stay as they are", ArgsUsage: "PURPOSE=true|false ...",
				Flags:  append(subjectFlags(), &cli.StringFlag{Name: "source", Value: "ebbgate consent", Usage: "who says so"}),
				Action: consentSet,
			},
		},
	}
}

func consentShow(c *cli.Context) error {
	log, err := openSubjectLog(c, topics.Consent)
	if err != nil {
		return cli.Exit(err, 1)
	}
	ctx, cancel := context.WithTimeout(c.Context, subjectTimeout)
	defer cancel()
	rec, err := state.ReadConsent(ctx, log.client, log.topic, log.key)
	if err != nil {
		return cli.Exit(err, 1)
	}
	return printConsent(c.App.Writer, log.key, rec, c.String("output"))
}

func consentSet(c *cli.Context) error {
	for _, arg := range c.Args().Slice() {
		if flag, _, _ := strings.Cut(arg, "="); strings.HasPrefix(flag, "-") {
			return cli.Exit(fmt.Errorf("%s stands behind a purpose: put flags before the purposes", flag), 1)
		}
	}
	log, err := openSubjectLog(c, topics.Consent)
	if err != nil {
		return cli.Exit(err, 1)
	}
	purposes, err := parsePurposes(c.Args().Slice(), log.ws)
	if err != nil {
		return cli.Exit(err, 1)
	}
	ctx, cancel := context.WithTimeout(c.Context, subjectTimeout)
	defer cancel()
	rec, err := state.WriteConsent(ctx, log.client, log.topic, log.key, consent.Choice{
		Purposes: purposes, Source: c.String("source"), At: time.Now(),
	})
	if err != nil {
		return cli.Exit(err, 1)
	}
	return printConsent(c.App.Writer, log.key, rec, c.String("output"))
}

func parsePurposes(args []string, ws *workspace.Workspace) (map[string]bool, error) {
	if len(args) == 0 {
		return nil, errors.New("state at least one purpose, such as marketing=false")
	}
	purposes := map[string]bool{}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		if _, known := ws.Policy.Purposes().Bit(name); !known {
			return nil, fmt.Errorf("the policy knows no purpose %q: it knows %s", name, strings.Join(ws.Policy.Purposes().Names(), ", "))
		}
		if value != "true" && value != "false" {
			return nil, fmt.Errorf("purpose %s: say %s=true or %s=false", name, name, name)
		}
		purposes[name] = value == "true"
	}
	return purposes, nil
}

func printConsent(w io.Writer, key string, rec *consent.Record, output string) error {
	if output == "json" {
		if rec == nil {
			_, err := fmt.Fprintln(w, "null")
			return err
		}
		_, err := fmt.Fprintf(w, "%s\n", rec.Append(nil))
		return err
	}
	if rec == nil {
		_, err := fmt.Fprintf(w, "subject %s: no consent record\n", key)
		return err
	}
	fmt.Fprintf(w, "subject %s: version %d, by %s at %s\n", key, rec.Version, rec.Source, rec.ChangedAt.Format(time.RFC3339))
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"purpose", "consent"})
	for _, name := range slices.Sorted(maps.Keys(rec.Purposes)) {
		t.AppendRow(table.Row{name, rec.Purposes[name]})
	}
	t.Render()
	return nil
}
