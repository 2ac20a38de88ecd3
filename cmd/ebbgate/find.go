package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/trace"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// Exit codes of commands that look up or explain, beside 0 and 1.
const (
	exitAsked    = 2 // what is asked for does not exist or cannot be read: a flag, a file, a destination
	exitNotFound = 4
	exitPartly   = 6 // topics answered, the store did not
)

// failed gives an error the exit code 1, unless it has one.
func failed(err error) error {
	if _, coded := err.(cli.ExitCoder); coded || err == nil {
		return err
	}
	return cli.Exit(err, 1)
}

// exactlyOne is the one id that a command is about. It is looked at before anything is contacted.
func exactlyOne(c *cli.Context, what string) (string, error) {
	if c.NArg() != 1 {
		return "", cli.Exit("name one "+what+", after the flags", exitAsked)
	}
	return validID(c.Args().First())
}

func validID(id string) (string, error) {
	if !event.ValidID([]byte(id)) {
		return "", cli.Exit("the id is not one that an event can have: 1 to 128 letters, digits and .:_-/+=~", exitAsked)
	}
	return id, nil
}

// findFlags say where the running system is and how far to look back.
func findFlags() []cli.Flag {
	return append(
		brokerFlags(),
		workspaceFlag(),
		&cli.StringFlag{Name: "clickhouse-dsn", EnvVars: []string{"EBBGATE_CLICKHOUSE_DSN"}, Usage: "look for rows there too; without it only topics are read"},
		&cli.StringFlag{Name: "table", Value: "events", Usage: "the table of rows"},
		&cli.StringFlag{Name: "since", Value: "24h", Usage: "how far to look back: a duration, a time in RFC 3339, or all"},
		&cli.DurationFlag{Name: "timeout", Value: 10 * time.Minute, Usage: "how long the search may take"},
	)
}

// finder is a running system to search.
type finder struct {
	ws     *workspace.Workspace
	client *kafka.Client
	store  *clickhouse.Client
	opts   trace.Options
}

func newFinder(c *cli.Context) (f *finder, err error) {
	f = &finder{}
	if f.ws, err = workspace.Load(c.String("workspace")); err != nil {
		return nil, err
	}
	since, err := lookBack(c.String("since"), time.Now())
	if err != nil {
		return nil, cli.Exit(err, exitAsked)
	}
	if f.client, err = brokers(c); err != nil {
		return nil, err
	}
	f.opts = trace.Options{Client: f.client, Topics: f.ws.Topics, Since: since, Progress: func(s trace.Searched) {
		fmt.Fprintf(c.App.ErrWriter, "read %d records of %s\n", s.Records, s.Topic)
	}}
	for _, d := range f.ws.Policy.Destinations {
		f.opts.Destinations = append(f.opts.Destinations, d.Name)
	}
	if dsn := c.String("clickhouse-dsn"); dsn != "" {
		err = f.openStore(dsn, c.String("table"))
	}
	return f, err
}

// openStore uses the one destination of kind clickhouse; a workspace without one has no rows to look for.
func (f *finder) openStore(dsn, table string) (err error) {
	for _, d := range f.ws.Policy.Destinations {
		if d.Kind == "clickhouse" {
			f.store, err = clickhouse.Open(clickhouse.Options{DSN: dsn, Timeout: time.Minute})
			f.opts.Store = &trace.Store{Client: f.store, Destination: d.Name, Table: table}
			return err
		}
	}
	return nil
}

func (f *finder) close() {
	if f.store != nil {
		_ = f.store.Close()
	}
}

// find looks an id up. Finding nothing is an error with an exit code of its own, which says where it looked; so is an answer of topics
// alone where the store was to be asked too. The trace is there with both.
func (f *finder) find(ctx context.Context, id string, timeout time.Duration) (*trace.Trace, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t, err := trace.Find(ctx, id, f.opts)
	if err != nil {
		return nil, cli.Exit(err, 1)
	}
	found := len(t.Events) > 0 || len(t.Receipts) > 0
	switch {
	case t.Search.StoreError != "" && found:
		return t, cli.Exit("this is what topics tell; whether rows are there is not known: "+t.Search.StoreError+"; set --clickhouse-dsn or EBBGATE_CLICKHOUSE_DSN", exitPartly)
	case t.Search.StoreError != "":
		return t, cli.Exit("no topic has it, and rows could not be looked for: "+t.Search.StoreError+"; set --clickhouse-dsn or EBBGATE_CLICKHOUSE_DSN", 1)
	case !found:
		return t, cli.Exit(fmt.Sprintf("%s was not found; %s", id, t.Search.String()), exitNotFound)
	}
	return t, nil
}

func lookBack(text string, now time.Time) (time.Time, error) {
	if text == "all" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--since is %q: give a duration such as 72h, a time such as 2026-11-24T10:00:00Z, or all", text)
	}
	return at, nil
}

// brokers returns a client for brokers that answer.
func brokers(c *cli.Context) (*kafka.Client, error) {
	cl, err := reach(c)
	if err != nil {
		return nil, err
	}
	cl.Close()
	return login(c)
}
