package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/demo"
	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/signature"
	"github.com/ebbgate/ebbgate/plugins/webhook"
)

func demoCommand() *cli.Command {
	dir := &cli.StringFlag{Name: "dir", Value: sandbox.DefaultDir, Usage: "folder of the sandbox"}
	return &cli.Command{
		Name:  "demo",
		Usage: "Run the shipped pipelines on the sandbox and balance the books",
		Description: `Starts a broker and ClickHouse on this machine, applies topics and schema, runs the pipelines, publishes GitHub's webhook
examples and generated events (bad ones, ones without consent and canaries among them), delivers signed webhooks of every provider to
the door (repeats and forged ones too), has Segment's own SDK for Node send events to the collector, and counts what became of each.
Run again in the same folder it publishes nothing twice. Then it shows how long events took, what three queries of the analysts'
cookbook answer, the trace of one row and the explanation of one denial. With --keep it ends with the commands that answer a
privacy officer about these two events.

Exit code 0: every event came to exactly one end at every destination, and no canary leaked.
Exit code 2: the run was complete, but the books do not balance. Exit code 1: it could not run.

Examples:
  ebbgate demo
  ebbgate demo --events 200000 --kill
  ebbgate demo --keep && ebbgate demo stop`,
		Flags: []cli.Flag{
			dir,
			workspaceFlag(),
			&cli.IntFlag{Name: "events", Value: 20000, Usage: "how many events to generate"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "another seed gives other events"},
			&cli.BoolFlag{Name: "kill", Usage: "kill -9 the pipelines in the middle of their work"},
			&cli.BoolFlag{Name: "keep", Usage: "leave everything running, as does a run that found it running"},
			&cli.DurationFlag{Name: "timeout", Value: 5 * time.Minute, Usage: "how long events may take to arrive"},
			outputFlag(),
		},
		Action: runDemo,
		Subcommands: []*cli.Command{{
			Name: "stop", Usage: "Stop what --keep left running", Flags: []cli.Flag{dir},
			Action: stopDemo,
		}},
	}
}

func stopDemo(c *cli.Context) error {
	dir := setAt(c, "dir").String("dir")
	if err := demo.Stop(c.Context, dir); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.App.Writer, "nothing runs in %s now; its data is kept\n", dir)
	return err
}

func runDemo(c *cli.Context) error {
	if c.Int("events") < 1 {
		return fmt.Errorf("--events is %d: give at least 1", c.Int("events"))
	}
	program, err := os.Executable()
	if err != nil {
		return cli.Exit(fmt.Errorf("finding this program: %w", err), 1)
	}
	ctx, cancel := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	result, err := demo.Run(ctx, demo.Options{
		Program: program, Dir: c.String("dir"), Workspace: c.String("workspace"), Events: c.Int("events"), Seed: c.Uint64("seed"),
		Kill: c.Bool("kill"), Keep: c.Bool("keep"), Live: isTerminal(c.App.ErrWriter) && os.Getenv("TERM") != "dumb", Timeout: c.Duration("timeout"),
		Out: c.App.Writer, Messages: c.App.ErrWriter, Progress: fetchProgress(c.App.ErrWriter),
		Endpoints: func(environment []string) ([]demo.Endpoint, error) {
			return doorEndpoints(c.String("workspace"), environment)
		},
	})
	if result != nil {
		if printErr := printDemo(c, result); printErr != nil {
			return cli.Exit(printErr, 1)
		}
	}
	switch {
	case errors.Is(err, demo.ErrUnbalanced):
		return cli.Exit(err, 2)
	case err != nil:
		return cli.Exit(err, 1)
	}
	return nil
}

func printDemo(c *cli.Context, result *demo.Result) error {
	if c.String("output") == "json" {
		return result.Books.WriteJSON(c.App.Writer)
	}
	w := c.App.Writer
	if err := result.WriteReport(w); err != nil {
		return err
	}
	showEvidence(w, &result.Evidence)
	return result.WriteNext(w)
}

// doorEndpoints are those of a workspace's webhook doors under an environment, each with its own secret and with a stranger's.
func doorEndpoints(workspace string, environment []string) (found []demo.Endpoint, err error) {
	lookup := func(name string) (string, bool) {
		for _, pair := range environment {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value, true
			}
		}
		return os.LookupEnv(name)
	}
	all, err := webhook.DescribeAll(os.DirFS(workspace), lookup)
	if err != nil {
		return nil, err
	}
	for i := range all {
		ep := demo.Endpoint{URL: all[i].URL, Source: all[i].Source, Provider: all[i].Provider}
		if ep.Scheme, err = all[i].Scheme(); err != nil {
			return nil, err
		}
		strange, err := signature.NewSecret(ep.Provider)
		if err != nil {
			return nil, err
		}
		if ep.Stranger, err = all[i].Scheme(signature.Secret{ID: "stranger", Value: strange}); err != nil {
			return nil, err
		}
		found = append(found, ep)
	}
	return found, nil
}

// showEvidence tells of one event that was delivered and one that was not, as the commands for it do.
func showEvidence(w io.Writer, e *demo.Evidence) {
	if e.Trace != nil {
		fmt.Fprintf(w, "\nThe way of one row: ebbgate trace %s\n", e.Delivered)
		showTrace(w, e.Trace)
	}
	if shown := e.Receipts.Shown; shown != nil && shown.Receipt() != nil {
		fmt.Fprintf(w, "\nA delivery that came twice: ebbgate receipts show %s\n", shown.ID)
		showReceipt(w, shown, shown.Receipt())
		showTrace(w, shown)
	}
	if e.Denial != nil {
		fmt.Fprintf(w, "\nWhy one event is not there: ebbgate policy explain --event-id %s\n", e.Denied)
		showExplanation(w, e.Denial)
	}
}
