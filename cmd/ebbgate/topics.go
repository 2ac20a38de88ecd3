package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// exitChanges is the exit code of a plan that is not empty.
const exitChanges = 2

const (
	flagAllowLoss    = "allow-loss"
	flagAllowReorder = "allow-reorder"
)

func topicsCommand() *cli.Command {
	return &cli.Command{
		Name:  "topics",
		Usage: "Create and correct the topics a workspace declares",
		Description: `Compares a broker with topics.yaml: topics, partitions, retention, cleanup, compression, message size and, with --acls,
what the file's principals may do. Topics the file does not name are listed and never touched. Nothing is ever deleted, lowered
or revoked.

Examples:
  ebbgate topics plan --acls                            show what apply would do; exit code 2 when there is something to do
  ebbgate topics apply --brokers 127.0.0.1:19092        do it; a second time it does nothing
  ebbgate topics apply --allow-loss --output json       also where records are deleted by it
  EBBGATE_SASL_PASSWORD=... ebbgate topics apply --brokers broker:9093 --tls --sasl-mechanism SCRAM-SHA-512 --user admin`,
		Subcommands: []*cli.Command{
			{
				Name: "plan", Usage: "Show what apply would do; exit code 0: nothing, 2: changes, 1: an error or something that cannot be done",
				Flags: topicsFlags(), Action: planTopics,
			},
			{
				Name: "apply", Usage: "Show the plan and do it", Action: applyTopics,
				Flags: append(
					topicsFlags(),
					&cli.BoolFlag{Name: flagAllowLoss, Usage: "make changes by which records are deleted: a shorter retention, another cleanup policy"},
					&cli.BoolFlag{Name: flagAllowReorder, Usage: "add partitions to topics that hold records: keys move, and the order of a subject's events with them"},
				),
			},
		},
	}
}

func topicsFlags() []cli.Flag {
	return append(
		brokerFlags(),
		workspaceFlag(),
		&cli.BoolFlag{Name: "acls", Usage: "also compare, and grant, what the principals of the file need"},
		outputFlag(),
	)
}

func planTopics(c *cli.Context) error {
	adm, plan, err := compareTopics(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer adm.Close()
	if err := showTopics(c.App.Writer, plan, c.String("output")); err != nil {
		return err
	}
	if err := plan.Impossible(); err != nil {
		return cli.Exit(err, 1)
	}
	if len(plan.Changes) > 0 {
		return cli.Exit("", exitChanges)
	}
	return nil
}

func applyTopics(c *cli.Context) error {
	adm, plan, err := compareTopics(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	defer adm.Close()
	if err := showTopics(c.App.Writer, plan, c.String("output")); err != nil {
		return err
	}
	made, err := plan.Apply(c.Context, adm, given(c)...)
	if err != nil {
		return cli.Exit(fmt.Errorf("%d of %d changes made: %w", len(made), len(plan.Changes), err), 1)
	}
	if c.String("output") != "json" {
		fmt.Fprintf(c.App.Writer, "%d changes made\n", len(made))
	}
	return nil
}

func given(c *cli.Context) (permissions []kafka.Permission) {
	if c.Bool(flagAllowLoss) {
		permissions = append(permissions, kafka.AllowLoss)
	}
	if c.Bool(flagAllowReorder) {
		permissions = append(permissions, kafka.AllowReorder)
	}
	return permissions
}

// compareTopics reads file and broker; the caller closes the client.
func compareTopics(c *cli.Context) (*kadm.Client, *kafka.Plan, error) {
	path := filepath.Join(c.String("workspace"), "topics.yaml")
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the topics: %w", err)
	}
	set, err := topics.Parse(src, path)
	if err != nil {
		return nil, nil, err
	}
	cl, err := reach(c)
	if err != nil {
		return nil, nil, err
	}
	adm := kadm.NewClient(cl)
	plan, err := kafka.PlanTopics(c.Context, adm, set, c.Bool("acls"))
	if err != nil {
		adm.Close()
		return nil, nil, err
	}
	return adm, plan, nil
}

// reachTimeout bounds how long the command looks for the brokers.
const reachTimeout = 15 * time.Second

// login is what the flags say of the brokers. It connects to nothing.
func login(c *cli.Context) (*kafka.Client, error) {
	return kafka.NewClient(kafka.Login{
		Seeds: []string{c.String("brokers")}, TLS: c.Bool("tls"),
		Mechanism: c.String("sasl-mechanism"), User: c.String("user"), Password: os.Getenv("EBBGATE_SASL_PASSWORD"),
	})
}

func reach(c *cli.Context) (*kgo.Client, error) {
	client, err := login(c)
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
		return nil, fmt.Errorf("reaching the broker at %s: %w; set --brokers or EBBGATE_BROKERS", c.String("brokers"), err)
	}
	return cl, nil
}
