package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/dlq"
)

// exitStays is the exit code of a replay that left entries in quarantine.
const exitStays = 2

func dlqOrder(c *cli.Context) (dlq.Order, error) {
	o := dlq.Order{Who: c.String("who"), Why: c.String("why"), Filter: dlqFilter(c)}
	if o.Filter.Everything() && !c.Bool("all") {
		return o, cli.Exit("choose entries by id, --code, --event, --source or --stage, or say --all", 1)
	}
	if c.Bool("yes") && o.Why == "" {
		return o, cli.Exit(dlq.ErrWhy, 1)
	}
	file := c.String("correct")
	if file == "" {
		return o, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return o, cli.Exit(fmt.Errorf("reading --correct: %w", err), 1)
	}
	if o.Correct, err = dlq.Mapping(string(text)); err != nil {
		return o, cli.Exit(fmt.Errorf("reading --correct %s: %w", file, err), 1)
	}
	sum := sha256.Sum256(text)
	o.Correction = hex.EncodeToString(sum[:])
	return o, nil
}

func dlqReplay(c *cli.Context) error {
	order, err := dlqOrder(c)
	if err != nil {
		return err
	}
	cipher, err := dlqCipher()
	if err != nil {
		return err
	}
	q, err := openDLQ(c)
	if err != nil {
		return err
	}
	defer q.close()
	if !c.Bool("yes") {
		forecast, err := q.Foresee(q.ctx, order, cipher, q.ws)
		if err != nil {
			return cli.Exit(err, 1)
		}
		return showForecast(c, forecast)
	}
	res, err := q.Replay(q.ctx, order, cipher)
	return showResult(c, res, err, dlq.Replayed)
}

func dlqDiscard(c *cli.Context) error {
	order, err := dlqOrder(c)
	if err != nil {
		return err
	}
	q, err := openDLQ(c)
	if err != nil {
		return err
	}
	defer q.close()
	if !c.Bool("yes") {
		order.Filter.State = dlq.Waiting
		fmt.Fprintf(c.App.Writer, "%d entries would be discarded; --yes does it\n", len(q.Select(order.Filter)))
		return nil
	}
	res, err := q.Discard(q.ctx, order)
	return showResult(c, res, err, dlq.Discarded)
}

func showForecast(c *cli.Context, f *dlq.Forecast) error {
	w := c.App.Writer
	if c.String("output") == "json" {
		return printJSON(w, f)
	}
	fmt.Fprintf(w, "%d entries wait; %d would pass the gate\n", f.Selected, f.Passes)
	if f.Undecided > 0 {
		fmt.Fprintf(w, "%d would enter again at a stream that this command cannot ask: it decides\n", f.Undecided)
	}
	rows := newTable(w, "destination", "outcome", "entries")
	for _, d := range slices.Sorted(maps.Keys(f.Destinations)) {
		for _, verdict := range slices.Sorted(maps.Keys(f.Destinations[d])) {
			rows.AppendRow(table.Row{d, verdict, f.Destinations[d][verdict]})
		}
	}
	for _, code := range slices.Sorted(maps.Keys(f.Faults)) {
		rows.AppendRow(table.Row{"none", "quarantine, " + code, f.Faults[code]})
	}
	rows.Render()
	fmt.Fprintln(w, "nothing was sent: --yes with --why sends them")
	return nil
}

// showResult prints what was done, also of a run that failed half way.
func showResult(c *cli.Context, res *dlq.Result, err error, done string) error {
	if res != nil {
		if printed := printResult(c.App.Writer, res, c.String("output")); printed != nil {
			return printed
		}
	}
	switch {
	case err != nil:
		return cli.Exit(err, 1)
	case res.Counts[done] < res.Selected:
		return cli.Exit("", exitStays)
	}
	return nil
}

func printResult(w io.Writer, res *dlq.Result, output string) error {
	if output == "json" {
		return printJSON(w, res)
	}
	fmt.Fprintf(w, "%d entries chosen\n", res.Selected)
	for _, what := range slices.Sorted(maps.Keys(res.Counts)) {
		fmt.Fprintf(w, "%d %s\n", res.Counts[what], what)
	}
	if res.Action != "" {
		fmt.Fprintf(w, "written down as %s\n", res.Action)
	}
	return nil
}
