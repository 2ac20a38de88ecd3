package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/postgres"
	"github.com/ebbgate/ebbgate/internal/staging"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// stagingCommand is `ebbgate staging`: the PostgreSQL area that Stitch pulls from.
func stagingCommand() *cli.Command {
	return &cli.Command{
		Name:  "staging",
		Usage: "Make the PostgreSQL staging area that Stitch pulls from",
		Description: `Reads staging.yaml of a workspace, holds it against the policy, the contracts and what Stitch and its destinations can take,
and makes a database into that: roles, tables, triggers, functions and grants. Everything happens in one transaction. Grants
that nobody declared are taken back. Columns and tables go with their data only with --drop.

Examples:
  ebbgate staging plan                        show the SQL, and change nothing
  ebbgate staging apply                       do it; a second time it does nothing
  ebbgate staging guide                       print what to type into Stitch
  ebbgate staging purge                       tell how many rows have outlived their time; --yes removes them
  ebbgate staging plan --output json --dsn postgres://admin@db.example.com:5432/marketing_stage`,
		Subcommands: []*cli.Command{
			{
				Name: "plan", Usage: "Show what apply would do, as SQL; exit code 1 when something blocks it",
				Flags: stagingFlags(), Action: stagingPlan,
			},
			{Name: "apply", Usage: "Do what plan shows, in one transaction", Flags: stagingFlags(), Action: stagingApply},
			{
				Name: "guide", Usage: "Print what to type into Stitch's form, table by table, and the views to make in the warehouse",
				Flags: []cli.Flag{stagingDSNFlag(), workspaceFlag()}, Action: stagingGuide,
			},
			{
				Name: "status", Usage: "Count rows and tombstones of each table, and tell how old the newest is",
				Flags: []cli.Flag{stagingDSNFlag(), workspaceFlag(), formatFlag("text", "json")}, Action: stagingStatus,
			},
			{
				Name: "purge", Usage: "Remove tombstones that Stitch must have read by now, and rows past their retention",
				Flags: []cli.Flag{stagingDSNFlag(), &cli.BoolFlag{Name: "yes", Usage: "yes, remove; without it, only count"}}, Action: stagingPurge,
			},
		},
	}
}

func stagingFlags() []cli.Flag {
	return []cli.Flag{
		stagingDSNFlag(),
		workspaceFlag(),
		&cli.BoolFlag{Name: "drop", Usage: "drop columns and tables that are no longer declared, with their data"},
		formatFlag("text", "json"),
	}
}

func stagingDSNFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "dsn", EnvVars: []string{"EBBGATE_STAGING_ADMIN_DSN"}, Value: "postgres://127.0.0.1:5432/marketing_stage",
		Usage: "the database, as a user who may make roles and owns it",
	}
}

// stagingTarget reads the area and connects; the caller closes the connection.
func stagingTarget(c *cli.Context) (*staging.Area, *pgx.Conn, error) {
	ws, err := workspace.Load(c.String("workspace"))
	if err != nil {
		return nil, nil, err
	}
	area, err := ws.Staging()
	if err != nil {
		return nil, nil, err
	}
	conn, err := postgres.Connect(c.Context, c.String("dsn"))
	return area, conn, err
}

func stagingPlan(c *cli.Context) error {
	area, conn, err := stagingTarget(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer conn.Close(c.Context)
	plan, err := postgres.MakePlan(c.Context, conn, area, c.Bool("drop"))
	if err != nil {
		return cli.Exit(err, 1)
	}
	if err := showStagingPlan(c.App.Writer, plan, c.String("output")); err != nil {
		return err
	}
	if err := plan.Blocked(); err != nil {
		return cli.Exit(err, 1)
	}
	return nil
}

func stagingApply(c *cli.Context) error {
	area, conn, err := stagingTarget(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer conn.Close(c.Context)
	plan, err := postgres.Apply(c.Context, conn, area, c.Bool("drop"))
	if err != nil {
		return cli.Exit(err, 1)
	}
	if c.String("output") == "json" {
		return showStagingPlan(c.App.Writer, plan, "json")
	}
	for _, change := range plan.Changes {
		fmt.Fprintf(c.App.Writer, "done: %s %s %s\n", change.Action, change.Kind, change.Name)
	}
	for _, note := range plan.Notes {
		fmt.Fprintf(c.App.Writer, "note: %s\n", note)
	}
	_, err = fmt.Fprintf(c.App.Writer, "database %s: changes made: %d\n", plan.Database, len(plan.Changes))
	return err
}

func showStagingPlan(w io.Writer, plan *staging.Plan, output string) error {
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(plan)
	}
	_, err := io.WriteString(w, plan.Text())
	return err
}

// stagingPurge needs no workspace: what may go is in the database, as the last apply has put it there.
func stagingPurge(c *cli.Context) error {
	conn, err := postgres.Connect(c.Context, c.String("dsn"))
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer conn.Close(c.Context)
	removed, err := postgres.Purge(c.Context, conn, c.Bool("yes"))
	if err != nil {
		return cli.Exit(err, 1)
	}
	if c.Bool("yes") {
		_, err = fmt.Fprintf(c.App.Writer, "rows removed: %d\n", removed)
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "rows that have outlived their time: %d; say --yes to remove them\n", removed)
	return err
}
