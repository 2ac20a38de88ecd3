package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/trace"
)

func receiptsCommand() *cli.Command {
	return &cli.Command{
		Name:  "receipts",
		Usage: "Tell what webhooks were delivered, whether their signature was good, and what became of them",
		Description: `Every attempt at the webhook door has a receipt, refused ones too. A receipt is never changed: what became of a delivery is
read from later records.

Examples:
  ebbgate receipts list --source stripe --since 72h
  ebbgate receipts list --verification bad_signature --output json
  ebbgate receipts list --id evt_1QabcXYZ                 every attempt of what the provider calls evt_1QabcXYZ
  ebbgate receipts show rcp_019a...
  ebbgate receipts verify rcp_019a...`,
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "List attempts, the newest last",
				Description: `Exit codes: 0 also when there are none; 1 the search failed.

--output json prints {"receipts": [...], "matched", "unreadable", "search"}.`,
				Flags: append(receiptFlags(),
					&cli.StringFlag{Name: "source", Usage: "the endpoint's source"},
					&cli.StringFlag{Name: "verification", Usage: "ok, or the code of what was wrong: bad_signature, stale, ..."},
					&cli.IntFlag{Name: "status", Usage: "the HTTP status of the answer"},
					&cli.StringFlag{Name: "id", Usage: "a receipt, event or correlation id, or the provider's own id of the event"},
					&cli.StringFlag{Name: "until", Usage: "only attempts before this time, in RFC 3339"},
					&cli.IntFlag{Name: "limit", Value: 100, Usage: "how many to show, the newest; 0 for all"},
				),
				Action: receiptsList,
			},
			{
				Name: "show", Usage: "Show one attempt and what became of it", ArgsUsage: "RECEIPT_ID",
				Description: `Exit codes: 0 found; 1 the search failed; 2 what is asked is no id, or a flag is wrong; 4 there is no such receipt where it looked; 6
ClickHouse did not answer, and what the topics tell is printed.`,
				Flags:  append(findFlags(), outputFlag()),
				Action: receiptsShow,
			},
			verifyCommand(),
		},
	}
}

// receiptFlags are findFlags without those of a store.
func receiptFlags() []cli.Flag {
	return append(
		brokerFlags(),
		workspaceFlag(),
		&cli.StringFlag{Name: "since", Value: "24h", Usage: "how far to look back: a duration, a time in RFC 3339, or all"},
		&cli.DurationFlag{Name: "timeout", Value: 10 * time.Minute, Usage: "how long the search may take"},
		outputFlag(),
	)
}

func receiptsList(c *cli.Context) error {
	f, err := newFinder(c)
	if err != nil {
		return failed(err)
	}
	defer f.close()
	want := trace.Wanted{
		Source: c.String("source"), Verification: c.String("verification"), Status: c.Int("status"), ID: c.String("id"), Limit: c.Int("limit"),
	}
	if text := c.String("until"); text != "" {
		if want.Until, err = time.Parse(time.RFC3339, text); err != nil {
			return cli.Exit("--until: give a time such as 2026-11-24T10:00:00Z", 1)
		}
	}
	ctx, cancel := context.WithTimeout(c.Context, c.Duration("timeout"))
	defer cancel()
	list, err := trace.ListReceipts(ctx, want, f.opts)
	if err != nil {
		return cli.Exit(err, 1)
	}
	if c.String("output") == "json" {
		return printJSON(c.App.Writer, list)
	}
	showReceipts(c.App.Writer, list)
	return nil
}

func showReceipts(w io.Writer, list *trace.Receipts) {
	rows := newTable(w, "time", "source", "verification", "answer", "provider's id", "type", "receipt")
	for _, r := range list.Receipts {
		rows.AppendRow(table.Row{moment(r.At), r.Source, r.Verification, r.Status, r.Delivery, r.Type, r.ID})
	}
	rows.Render()
	if more := list.Matched - len(list.Receipts); more > 0 {
		fmt.Fprintf(w, "%d older ones are not shown: --limit 0 shows all\n", more)
	}
	if list.Unreadable > 0 {
		fmt.Fprintf(w, "%d records are no receipts: find out who writes to that topic besides the door\n", list.Unreadable)
	}
	fmt.Fprintln(w, list.Search.String())
}

func moment(at time.Time) string { return at.Format("2006-01-02 15:04:05.000") }

// shown is a receipt with its processing status.
type shown struct {
	Receipt *receipt.Receipt `json:"receipt"`
	Became  string           `json:"became"`
	// SameBody are receipts of other events that came with the same bytes from the same source.
	SameBody []string     `json:"same_body"`
	Trace    *trace.Trace `json:"trace"`
}

func receiptsShow(c *cli.Context) error {
	id, err := exactlyOne(c, "receipt (`ebbgate receipts list` shows their ids)")
	if err != nil {
		return err
	}
	f, err := newFinder(c)
	if err != nil {
		return failed(err)
	}
	defer f.close()
	t, searched := f.find(c.Context, id, c.Duration("timeout"))
	if t == nil || len(t.Receipts)+len(t.Events) == 0 {
		return searched
	}
	r := t.Receipt()
	if r == nil {
		return cli.Exit("no receipt has this id: `ebbgate receipts list --id ID` finds receipts by other ids", exitNotFound)
	}
	same, err := f.sameBody(c.Context, r, c.Duration("timeout"))
	if err != nil {
		return cli.Exit(err, 1)
	}
	if c.String("output") == "json" {
		if err := printJSON(c.App.Writer, shown{r, t.Became(r), same, t}); err != nil {
			return err
		}
		return searched
	}
	showReceipt(c.App.Writer, t, r)
	if len(same) > 0 {
		fmt.Fprintf(c.App.Writer, "%-14s %s: other events with the same bytes; sent again under another id?\n", "same body", strings.Join(same, ", "))
	}
	showTrace(c.App.Writer, t)
	return searched
}

// sameBody lists receipts of other events that came with the bytes of r.
func (f *finder) sameBody(ctx context.Context, r *receipt.Receipt, timeout time.Duration) ([]string, error) {
	if r.Delivery == "" { // then the bytes are the id
		return []string{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	list, err := trace.ListReceipts(ctx, trace.Wanted{BodyOf: r, Limit: 10}, f.opts)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list.Receipts))
	for i, other := range list.Receipts {
		ids[i] = other.ID
	}
	return ids, nil
}

func showReceipt(w io.Writer, t *trace.Trace, r *receipt.Receipt) {
	raw := "none was kept"
	if r.Raw != nil {
		raw = place((*trace.Position)(r.Raw))
	}
	attempt := "the provider does not count"
	if r.Attempt > 0 {
		attempt = fmt.Sprint(r.Attempt)
	}
	for _, line := range [][2]string{
		{"receipt", r.ID},
		{"arrived", r.At.Format(time.RFC3339Nano) + ", from a " + r.Remote + " address"},
		{"source", r.Source + ", signed as " + r.Scheme},
		{"verification", because(r.Verification, r.Key)},
		{"answer", fmt.Sprint(r.Status)},
		{"attempt", attempt},
		{"event", r.EventID},
		{"provider's id", r.Delivery},
		{"type", r.Type},
		{"correlation", r.Correlation},
		{"body", fmt.Sprintf("%d bytes, sha256 %s", r.BodyBytes, r.BodySHA256)},
		{"raw record", raw},
		{"became", becameText[t.Became(r)]},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%-14s %s\n", line[0], line[1])
		}
	}
}

func because(code, key string) string {
	if key == "" {
		return code
	}
	return code + ", with secret " + key
}

var becameText = map[string]string{
	trace.BecameRefused:   "nothing: it was refused at the door, and nothing of it was kept",
	trace.BecameAnswered:  "nothing: the provider asked whether the endpoint is ours",
	trace.BecameWaiting:   "nothing yet: it is durable and waits for the stream ingest-webhooks",
	trace.BecameEvent:     "the event below",
	trace.BecameDuplicate: "nothing more: its event, below, came in with another attempt",
}
