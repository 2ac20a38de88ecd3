package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// exitUnreadable is the exit code of a copy that left records out because nobody can read them.
const exitUnreadable = 2

// outcomesCommand is `ebbgate clickhouse outcomes`.
func outcomesCommand() *cli.Command {
	return &cli.Command{
		Name:  "outcomes",
		Usage: "Tell ClickHouse why events are not there: denials and quarantine, as data_status shows them",
		Description: `Reads the decisions and the quarantine of the broker from their start to their end and writes one row for each denial and each
quarantined event to the table outcomes: no subject, no property, and of the event id only a digest. Running it again
changes nothing but to add what is new; run it every few minutes.

Exit codes: 0 all of it is there; 1 it could not be copied; 2 all is there but records that are no decision and no quarantine
record: how many, and where the first of them lie, is on standard error. Somebody else writes to the topic, or a newer version.

Examples:
  ebbgate clickhouse outcomes
  EBBGATE_SASL_PASSWORD=... ebbgate clickhouse outcomes --brokers broker:9093 --tls --sasl-mechanism SCRAM-SHA-512 --user ebbgate-outcomes`,
		Flags: slices.Concat(
			[]cli.Flag{clickhouseDSNFlag(), workspaceFlag(), clickhouseDestinationFlag()}, brokerFlags(),
		),
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
	broker, err := brokers(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	client, err := clickhouse.Open(clickhouse.Options{DSN: c.String("dsn"), Compression: clickhouse.LZ4, Timeout: 5 * time.Minute})
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer client.Close()
	copied, err := books.CopyOutcomes(c.Context, broker.Options(), books.DefaultPlan(ws.Topics, nil), destination.Name, client)
	if err != nil {
		return cli.Exit(err, 1)
	}
	fmt.Fprintf(c.App.Writer, "outcomes of %s: rows written: %d\n", destination.Name, copied.Rows)
	if copied.Unreadable > 0 {
		return cli.Exit(fmt.Sprintf("records that cannot be read, and so are missing in ClickHouse: %d, such as %s; see who else writes to these topics (`ebbgate topics plan --acls`), or use the version that wrote them",
			copied.Unreadable, strings.Join(copied.Examples, ", ")), exitUnreadable)
	}
	return nil
}
