package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/postgres"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// stagingGuide needs no database: it is printed before there is one that answers from here.
func stagingGuide(c *cli.Context) error {
	ws, err := workspace.Load(c.String("workspace"))
	if err != nil {
		return cli.Exit(err, 1)
	}
	area, err := ws.Staging()
	if err != nil {
		return cli.Exit(err, 1)
	}
	config, err := pgx.ParseConfig(c.String("dsn"))
	if err != nil {
		return cli.Exit(postgres.ErrDSN, 1)
	}
	_, err = fmt.Fprint(c.App.Writer, area.Guide(config.Host, strconv.Itoa(int(config.Port)), config.Database))
	return err
}

func stagingStatus(c *cli.Context) error {
	area, conn, err := stagingTarget(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer conn.Close(c.Context)
	all, err := postgres.Status(c.Context, conn, area)
	if err != nil {
		return cli.Exit(err, 1)
	}
	if c.String("output") == "json" {
		enc := json.NewEncoder(c.App.Writer)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "table\trows\ttombstones\thighest row_seq\tnewest row")
	for _, s := range all {
		newest := "none"
		if s.Newest != nil {
			newest = time.Since(*s.Newest).Round(time.Second).String() + " ago"
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", s.Table, s.Rows, s.Tombstones, s.Highest, newest)
	}
	return w.Flush()
}
