package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// outcomesCommand is `ebbgate clickhouse outcomes`.
func outcomesCommand() *cli.Command {
	return &cli.Command{
		Name:  "outcomes",
		Usage: "Tell ClickHouse why events are not there: denials and quarantine, as data_status shows them",
		Description: `Reads the decisions and the quarantine of the broker from their start to their end and writes one row for each denial and each
quarantined event to the table outcomes: no subject, no property, and of the event id only a digest. Running it again
changes nothing but to add what is new; run it every few minutes.`,
		Flags: []cli.Flag{
			clickhouseDSNFlag(), workspaceFlag(), clickhouseDestinationFlag(),
			&cli.StringFlag{Name: "brokers", Value: "127.0.0.1:9092", EnvVars: []string{"EBBGATE_BROKERS"}, Usage: "addresses of brokers, separated by commas"},
		},
		Action: copyOutcomes,
	}
}

func copyOutcomes(c *cli.Context) error {
	ws, err := workspace.Load(c.String("workspace"))
	if err != nil {
		return cli.Exit(err, 1)
	}
	destination, err := clickhouseDestination(ws.Policy, c.String("destination"))
	if err != nil {
		return cli.Exit(err, 1)
	}
	if err := answers(c.Context, c.String("brokers")); err != nil {
		return cli.Exit(err, 1)
	}
	client, err := clickhouse.Open(clickhouse.Options{DSN: c.String("dsn"), Compression: clickhouse.LZ4, Timeout: 5 * time.Minute})
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer client.Close()
	plan := books.DefaultPlan(ws.Topics, nil)
	seeds := []kgo.Opt{kgo.SeedBrokers(strings.Split(c.String("brokers"), ",")...)}
	n, err := books.CopyOutcomes(c.Context, seeds, plan, destination.Name, client)
	if err != nil {
		return cli.Exit(err, 1)
	}
	fmt.Fprintf(c.App.Writer, "outcomes of %s: rows written: %d\n", destination.Name, n)
	return nil
}
