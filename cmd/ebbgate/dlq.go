package main

import (
	"context"
	"fmt"
	"io"
	"os/user"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/dlq"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

func dlqCommand() *cli.Command {
	return &cli.Command{
		Name:  "dlq",
		Usage: "Look into the quarantine, send what lies there through again, or give it up",
		Description: `The quarantine is the topic with role quarantine. Nothing is deleted from it: what was done is written down on the topic with
role actions, with who, why and how many, and what is written down as done is not done again.

Examples:
  ebbgate dlq stats
  ebbgate dlq list --code contract. --since 2026-11-20T00:00:00Z
  ebbgate dlq show --decrypt --why "ticket 4711" q_0f8a...
  ebbgate dlq replay --code contract.unknown_event                        what would come of it; nothing is done
  ebbgate dlq replay --code contract.unknown_event --why "contract added" --yes
  ebbgate dlq replay --code contract.type --correct fix.blobl --why "SDK 3.1 sent text" --yes
  ebbgate dlq discard --source inbound.github --until 2026-11-01T00:00:00Z --why "test system" --yes`,
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "List entries, the one that failed last at the end",
				Flags: append(dlqFilterFlags(dlq.Waiting), &cli.IntFlag{Name: "limit", Value: 100, Usage: "how many to show, the newest; 0 for all"}), Action: dlqList,
			},
			{Name: "stats", Usage: "Count entries by code, stage, source and event", Flags: dlqFilterFlags("all"), Action: dlqStats},
			{
				Name: "show", Usage: "Show one entry, and with --decrypt print the bytes that failed", ArgsUsage: "ENTRY_ID", Action: dlqShow,
				Description: `Without --decrypt it prints what is known of the failure, and no key is needed. With it, standard output is the payload as the
stage had it, byte for byte, and who looked and why is written down first.

Exit codes: 0 shown; 1 it could not be read; 4 there is no such entry.`,
				Flags: append(answerFlags(), &cli.BoolFlag{Name: "decrypt", Usage: "print the payload in clear; needs the keys and --why"}),
			},
			{
				Name: "replay", Usage: "Send waiting entries through again", ArgsUsage: "[ENTRY_ID ...]", Action: dlqReplay,
				Description: `An entry enters again on the topic it was read from, byte for byte, and its stage judges it by the contracts and the policy in force now.
The other elements of a list that was split come back with it, and are taken out as repeats.

--correct names a Bloblang mapping, which is given the event as it was read. What it makes is judged from the start: it enters on
the topic with role raw, or on the inbound topic it came from. What is sealed for a destination cannot be corrected.

Without --yes nothing is sent: it says what the gate would make of the entries, by what each event claims of consent. The subjects' records
and repeats are not asked, so fewer may be delivered. With --yes it needs --why, writes that down, and marks what is durable where it
entered. What cannot enter again stays, and is counted by a code replay.*.

Exit codes: 0 done, or foreseen; 1 it failed, and what was done is marked: run it again; 2 some of the entries stay in quarantine.`,
				Flags: append(append(dlqFilterFlags(""), answerFlags()...),
					&cli.StringFlag{Name: "correct", Usage: "a file with a Bloblang mapping that mends the events"}, allFlag(), yesFlag()),
			},
			{
				Name: "discard", Usage: "Give waiting entries up", ArgsUsage: "[ENTRY_ID ...]", Action: dlqDiscard,
				Description: `A discarded entry is not listed as waiting and cannot be replayed. Its record stays, encrypted, until the topic's retention ends.

Exit codes: 0 done, or without --yes counted; 1 it failed, and what was done is marked: run it again.`,
				Flags: append(append(dlqFilterFlags(""), answerFlags()...), allFlag(), yesFlag()),
			},
		},
	}
}

// dlqFilterFlags choose entries. state is the default of --state; empty for commands that work on what waits.
func dlqFilterFlags(state string) []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "code", Usage: "entries with this code; one that ends in a dot is the beginning of several"},
		&cli.StringFlag{Name: "event", Usage: "of this event name or event id"},
		&cli.StringFlag{Name: "source", Usage: "read from this topic"},
		&cli.StringFlag{Name: "stage", Usage: "that failed at this stage: ingest, validate, govern, deliver"},
		&cli.TimestampFlag{Name: "since", Layout: time.RFC3339, Usage: "that failed last at or after this time, in RFC 3339"},
		&cli.TimestampFlag{Name: "until", Layout: time.RFC3339, Usage: "that failed last before this time, in RFC 3339"},
	}
	if state == "" {
		return flags
	}
	flags = append(flags, &cli.StringFlag{
		Name: "state", Value: state, Usage: "waiting, replayed, discarded or all",
		Action: func(_ *cli.Context, text string) error {
			if !slices.Contains([]string{dlq.Waiting, dlq.Replayed, dlq.Discarded, "all"}, text) {
				return fmt.Errorf("--state is %q: use waiting, replayed, discarded or all", text)
			}
			return nil
		},
	})
	return append(flags, dlqPlaceFlags()...)
}

func dlqPlaceFlags() []cli.Flag {
	return append(
		brokerFlags(), workspaceFlag(),
		&cli.DurationFlag{Name: "timeout", Value: 10 * time.Minute, Usage: "how long the command may take"}, outputFlag(),
	)
}

// answerFlags say who answers for an action.
func answerFlags() []cli.Flag {
	return append(
		dlqPlaceFlags(),
		&cli.StringFlag{Name: "why", Usage: "the reason, for the audit record"},
		&cli.StringFlag{Name: "who", EnvVars: []string{"EBBGATE_OPERATOR"}, Value: systemUser(), DefaultText: "the user of this system", Usage: "who does it, for the audit record"},
	)
}

func systemUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

func allFlag() cli.Flag {
	return &cli.BoolFlag{Name: "all", Usage: "every waiting entry: needed where nothing but times narrows the choice down"}
}

func yesFlag() cli.Flag { return &cli.BoolFlag{Name: "yes", Usage: "do it"} }

// dlqOf is the quarantine that the flags name.
type dlqOf struct {
	*dlq.Book
	ws     *workspace.Workspace
	ctx    context.Context
	cancel context.CancelFunc
}

func openDLQ(c *cli.Context) (*dlqOf, error) {
	ws, err := workspace.Load(c.String("workspace"))
	if err != nil {
		return nil, cli.Exit(err, 1)
	}
	client, err := brokers(c)
	if err != nil {
		return nil, cli.Exit(err, 1)
	}
	q := &dlqOf{ws: ws}
	q.ctx, q.cancel = context.WithTimeout(c.Context, c.Duration("timeout"))
	if q.Book, err = dlq.Open(q.ctx, client, ws.Topics); err != nil {
		q.cancel()
		return nil, cli.Exit(err, 1)
	}
	if q.Unreadable > 0 {
		fmt.Fprintf(c.App.ErrWriter, "%d records cannot be read: somebody else writes to the topics with role quarantine or actions, or a newer version does\n", q.Unreadable)
	}
	return q, nil
}

func (q *dlqOf) close() {
	q.Close()
	q.cancel()
}

func dlqCipher() (*quarantine.Cipher, error) {
	ring, err := keys.FromEnvironment()
	if err != nil {
		return nil, cli.Exit(err, 1)
	}
	return quarantine.NewCipher(ring), nil
}

func dlqFilter(c *cli.Context) dlq.Filter {
	f := dlq.Filter{
		IDs: c.Args().Slice(), Code: c.String("code"), Event: c.String("event"), Source: c.String("source"), Stage: c.String("stage"), State: c.String("state"),
	}
	if f.State == "all" {
		f.State = ""
	}
	if at := c.Timestamp("since"); at != nil {
		f.Since = *at
	}
	if at := c.Timestamp("until"); at != nil {
		f.Until = *at
	}
	return f
}

func dlqList(c *cli.Context) error {
	q, err := openDLQ(c)
	if err != nil {
		return err
	}
	defer q.close()
	list := q.Select(dlqFilter(c))
	matched := len(list)
	if n := c.Int("limit"); n > 0 && matched > n {
		list = list[matched-n:]
	}
	if c.String("output") == "json" {
		shown := make([]dlqEntry, len(list))
		for i, e := range list {
			shown[i] = entryOf(e)
		}
		return printJSON(c.App.Writer, map[string]any{"entries": shown, "matched": matched, "unreadable": q.Unreadable})
	}
	rows := newTable(c.App.Writer, "entry", "failed last", "code", "field", "stage", "event", "read from", "tries", "state")
	for _, e := range list {
		rows.AppendRow(table.Row{e.ID, moment(e.Last), e.Code, e.Path, e.Stage, eventOf(e), refText(e.Ref), e.Attempts, e.State})
	}
	rows.Render()
	if matched > len(list) {
		fmt.Fprintf(c.App.Writer, "%d older ones are not shown: --limit 0 shows all\n", matched-len(list))
	}
	return nil
}

func eventOf(e *dlq.Entry) string {
	if e.EventName != "" {
		return e.EventName
	}
	return e.EventID
}

func refText(ref quarantine.Ref) string {
	return fmt.Sprintf("%s/%d@%d", ref.Topic, ref.Partition, ref.Offset)
}

func dlqStats(c *cli.Context) error {
	q, err := openDLQ(c)
	if err != nil {
		return err
	}
	defer q.close()
	lines := dlq.Stats(q.Select(dlqFilter(c)))
	if c.String("output") == "json" {
		return printJSON(c.App.Writer, map[string]any{"lines": lines, "unreadable": q.Unreadable})
	}
	rows := newTable(c.App.Writer, "entries", "code", "stage", "read from", "event", "state", "first", "last")
	for _, l := range lines {
		rows.AppendRow(table.Row{l.Count, l.Code, l.Stage, l.Source, l.Event, l.State, moment(l.First), moment(l.Last)})
	}
	rows.Render()
	return nil
}

// dlqEntry is the JSON of an entry.
type dlqEntry struct {
	ID          string    `json:"id"`
	State       string    `json:"state"`
	Code        string    `json:"code"`
	Path        string    `json:"path,omitempty"`
	Stage       string    `json:"stage"`
	Destination string    `json:"destination,omitempty"`
	EventID     string    `json:"event_id,omitempty"`
	EventName   string    `json:"event_name,omitempty"`
	Attempts    int       `json:"attempts"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	Ref         string    `json:"ref"`
	Payload     bool      `json:"payload"`
}

func entryOf(e *dlq.Entry) dlqEntry {
	return dlqEntry{e.ID, e.State, e.Code, e.Path, e.Stage, e.Destination, e.EventID, e.EventName, e.Attempts, e.First, e.Last, refText(e.Ref), e.Payload != nil}
}

func dlqShow(c *cli.Context) error {
	if c.NArg() != 1 {
		return cli.Exit("name one entry, after the flags: `ebbgate dlq list` shows their ids", 1)
	}
	q, err := openDLQ(c)
	if err != nil {
		return err
	}
	defer q.close()
	list := q.Select(dlq.Filter{IDs: c.Args().Slice()})
	if len(list) == 0 {
		return cli.Exit("no entry has this id: `ebbgate dlq list --state all` shows what there is", exitNotFound)
	}
	if c.Bool("decrypt") {
		cipher, err := dlqCipher()
		if err != nil {
			return err
		}
		body, err := q.Show(q.ctx, list[0], cipher, dlq.Order{Who: c.String("who"), Why: c.String("why")})
		if err != nil {
			return cli.Exit(err, 1)
		}
		_, err = c.App.Writer.Write(append(body, '\n'))
		return err
	}
	if c.String("output") == "json" {
		return printJSON(c.App.Writer, entryOf(list[0]))
	}
	showEntry(c.App.Writer, list[0])
	return nil
}

func showEntry(w io.Writer, e *dlq.Entry) {
	payload := "encrypted: --decrypt shows it"
	if e.Payload == nil {
		payload = "none: the event is where it was read"
	}
	for _, line := range [][2]string{
		{"entry", e.ID},
		{"state", e.State},
		{"code", e.Code},
		{"field", e.Path},
		{"stage", e.Stage},
		{"destination", e.Destination},
		{"event", e.EventName},
		{"event id", e.EventID},
		{"attempts", fmt.Sprint(e.Attempts)},
		{"failed first", e.First.Format(time.RFC3339Nano)},
		{"failed last", e.Last.Format(time.RFC3339Nano)},
		{"read from", refText(e.Ref)},
		{"payload", payload},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%-14s %s\n", line[0], line[1])
		}
	}
}
