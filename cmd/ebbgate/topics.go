package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/topics"
)

func topicsCommand() *cli.Command {
	return &cli.Command{
		Name:  "topics",
		Usage: "Create and correct the topics a workspace declares",
		Subcommands: []*cli.Command{{
			Name:  "apply",
			Usage: "Bring a broker to what topics.yaml says",
			Description: `Creates the topics that are missing, raises partition counts and sets retention, cleanup, compression and
message size. With --acls the principals named in the file get the permissions they need. Nothing is ever deleted, lowered
or revoked, and a second run changes nothing.

Examples:
  ebbgate topics apply --brokers 127.0.0.1:19092
  ebbgate topics apply --workspace ./pipelines --acls --output json
  EBBGATE_SASL_PASSWORD=... ebbgate topics apply --brokers broker:9093 --tls --sasl-mechanism SCRAM-SHA-512 --user admin`,
			Flags: []cli.Flag{
				workspaceFlag(),
				&cli.StringFlag{Name: "brokers", Value: "127.0.0.1:9092", EnvVars: []string{"EBBGATE_BROKERS"}, Usage: "addresses of brokers, separated by commas"},
				&cli.BoolFlag{Name: "tls", Usage: "connect with TLS"},
				&cli.StringFlag{Name: "sasl-mechanism", Usage: "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; the password or token comes from EBBGATE_SASL_PASSWORD"},
				&cli.StringFlag{Name: "user", Usage: "the user to authenticate as"},
				&cli.BoolFlag{Name: "acls", Usage: "grant the principals of the file what they need"},
				outputFlag(),
			},
			Action: applyTopics,
		}},
	}
}

func applyTopics(c *cli.Context) error {
	path := filepath.Join(c.String("workspace"), "topics.yaml")
	src, err := os.ReadFile(path)
	if err != nil {
		return cli.Exit(fmt.Errorf("reading the topics: %w", err), 1)
	}
	set, err := topics.Parse(src, path)
	if err != nil {
		return cli.Exit(err, 1)
	}
	cl, err := reach(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	changes, err := kafka.ApplyTopics(c.Context, adm, set)
	if err == nil && c.Bool("acls") {
		var more []kafka.Change
		more, err = kafka.ApplyACLs(c.Context, adm, set)
		changes = append(changes, more...)
	}
	if shown := showChanges(c.App.Writer, changes, c.String("output")); shown != nil {
		return shown
	}
	if err != nil {
		return cli.Exit(err, 1)
	}
	return nil
}

// reachTimeout bounds how long the command looks for the brokers.
const reachTimeout = 15 * time.Second

func reach(c *cli.Context) (*kgo.Client, error) {
	client, err := kafka.NewClient(kafka.Login{
		Seeds: []string{c.String("brokers")}, TLS: c.Bool("tls"),
		Mechanism: c.String("sasl-mechanism"), User: c.String("user"), Password: os.Getenv("EBBGATE_SASL_PASSWORD"),
	})
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(client.Options()...)
	if err != nil {
		return nil, fmt.Errorf("reading --brokers: %w", err)
	}
	ctx, cancel := context.WithTimeout(c.Context, reachTimeout)
	defer cancel()
	if err := cl.Ping(ctx); err != nil {
		cl.Close()
		return nil, fmt.Errorf("reaching %s: %w", c.String("brokers"), err)
	}
	return cl, nil
}

func showChanges(w io.Writer, changes []kafka.Change, output string) error {
	if output == "json" {
		if changes == nil {
			changes = []kafka.Change{}
		}
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(changes)
	}
	if len(changes) == 0 {
		_, err := fmt.Fprintln(w, "Nothing to change.")
		return err
	}
	t := table.NewWriter()
	t.AppendHeader(table.Row{"topic", "what", "from", "to", "note"})
	for _, c := range changes {
		t.AppendRow(table.Row{c.Topic, c.What, c.From, c.To, c.Kept})
	}
	_, err := fmt.Fprintln(w, t.Render())
	return err
}
