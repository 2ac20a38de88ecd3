package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	ddl "github.com/ebbgate/ebbgate/internal/clickhouse/schema"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

const clickhouseFolder = "clickhouse"

// clickhouseCommand is `ebbgate clickhouse`: tables, views and retention as the workspace describes them.
func clickhouseCommand() *cli.Command {
	return &cli.Command{
		Name:  "clickhouse",
		Usage: "Make the tables, views, rollups, roles and retention of a ClickHouse destination",
		Description: `Reads clickhouse/*.sql and its folders views, rollups and roles, the contracts and the policy of a workspace. Files named NNN_*.sql
run once, in order. Each event gets a view with one typed column per property the policy lets through. Rows go after
the retention of their class. Rollups are refreshable views and need a database of engine Atomic or Replicated. Roles are
made where the user may make them, else a note tells. Tables are never dropped, views only with --drop.

Examples:
  ebbgate clickhouse plan                        show what would change, and change nothing
  ebbgate clickhouse apply                       do it; a second time it does nothing
  ebbgate clickhouse plan --output json --dsn https://admin:secret@example.clickhouse.cloud:8443/analytics`,
		Subcommands: []*cli.Command{
			{
				Name: "plan", Usage: "Show what apply would do, with the SQL and the differences; exit code 1 when something blocks it",
				Flags: clickhouseFlags(), Action: clickhousePlan,
			},
			{Name: "apply", Usage: "Do what plan shows, and record it", Flags: clickhouseFlags(), Action: clickhouseApply},
			outcomesCommand(),
		},
	}
}

func clickhouseFlags() []cli.Flag {
	return []cli.Flag{
		clickhouseDSNFlag(),
		workspaceFlag(),
		clickhouseDestinationFlag(),
		&cli.BoolFlag{Name: "drop", Usage: "drop views that were applied once and are no longer described"},
		formatFlag("text", "json"),
	}
}

func clickhouseDSNFlag() cli.Flag {
	return &cli.StringFlag{Name: "dsn", EnvVars: []string{"EBBGATE_CLICKHOUSE_DSN"}, Value: "clickhouse://127.0.0.1:9000/default", Usage: "where ClickHouse is; the user needs to create tables and views"}
}

func clickhouseDestinationFlag() cli.Flag {
	return &cli.StringFlag{Name: "destination", Usage: "destination of the policy; needed when several are of kind clickhouse"}
}

// clickhouseTarget opens the client and compares; the caller closes the client.
func clickhouseTarget(c *cli.Context) (*clickhouse.Client, *ddl.Plan, error) {
	ws, err := workspace.Load(c.String("workspace"))
	if err != nil {
		return nil, nil, err
	}
	destination, err := clickhouseDestination(ws.Policy, c.String("destination"))
	if err != nil {
		return nil, nil, err
	}
	want, err := ddl.Describe(os.DirFS(filepath.Join(ws.Dir, clickhouseFolder)), ws.Contracts, destination)
	if err != nil {
		return nil, nil, err
	}
	client, err := clickhouse.Open(clickhouse.Options{DSN: c.String("dsn"), Compression: clickhouse.LZ4, Timeout: 5 * time.Minute})
	if err != nil {
		return nil, nil, err
	}
	plan, err := ddl.MakePlan(c.Context, client, want, c.Bool("drop"))
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return client, plan, nil
}

func clickhouseDestination(p *policy.Policy, name string) (*policy.Destination, error) {
	var found []*policy.Destination
	var names []string
	for _, d := range p.Destinations {
		if d.Kind == "clickhouse" {
			names = append(names, d.Name)
			if name == "" || d.Name == name {
				found = append(found, d)
			}
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(names) == 0:
		return nil, errors.New("the policy has no destination with kind: clickhouse")
	case name != "":
		return nil, fmt.Errorf("the policy has no destination %q of kind clickhouse: use one of %s", name, strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("the policy has several destinations of kind clickhouse: name one with --destination: %s", strings.Join(names, ", "))
}

func clickhousePlan(c *cli.Context) error {
	client, plan, err := clickhouseTarget(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer client.Close()
	if err := showPlan(c.App.Writer, plan, c.String("output")); err != nil {
		return err
	}
	if err := plan.Blocked(); err != nil {
		return cli.Exit(err, 1)
	}
	return nil
}

func clickhouseApply(c *cli.Context) error {
	client, plan, err := clickhouseTarget(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer client.Close()
	text := c.String("output") != "json"
	err = plan.Apply(c.Context, client, func(change ddl.Change) {
		if text {
			fmt.Fprintf(c.App.Writer, "done: %s %s %s\n", change.Action, change.Kind, change.Name)
		}
	})
	if err != nil {
		return cli.Exit(err, 1)
	}
	if text {
		fmt.Fprintf(c.App.Writer, "database %s: changes made: %d\n", plan.Database, len(plan.Changes))
		return nil
	}
	return showPlan(c.App.Writer, plan, "json")
}

func showPlan(w io.Writer, plan *ddl.Plan, output string) error {
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(plan)
	}
	_, err := io.WriteString(w, plan.Text())
	return err
}
