package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/trace"
)

func traceCommand() *cli.Command {
	return &cli.Command{
		Name:      "trace",
		Usage:     "Follow one event through topics and stores",
		ArgsUsage: "EVENT_ID|CORRELATION_ID|RECEIPT_ID",
		Description: `Prints every stage, attempt and outcome of an event in order of time, and what became of it at each destination: records
of the topics of topics.yaml, denials, quarantine, rows and chunks of ClickHouse. A correlation id gives every event that bears
it, a receipt of the webhook door the events of its delivery. Values of events are never printed, only codes, rules, versions and positions.

The search reads the topics since --since and looks nothing up by content but ids. Progress is on standard error.

Exit codes: 0 found; 1 the search failed; 2 what is asked is no id, or a flag is wrong; 4 nothing was found, and where was looked is
told; 6 ClickHouse did not answer, and what the topics tell is printed.

--output json prints {"id", "receipts": [...], "events": [{"event_id", "correlation_id", "steps": [{"at", "stage", "destination", "outcome", "reason",
"path", "rule", "attempts", "policy", "consent_version", "replay_epoch", "position", "from"}], "ends": [{"destination", "outcome",
"reason", "copies"}]}], "search"}. Fields are added, not renamed; absent ones are empty.

Examples:
  ebbgate trace evt_a7jbu74phn83hod33505eqr6ng
  ebbgate trace --since 72h --output json req_abc`,
		Flags:  append(findFlags(), outputFlag()),
		Action: runTrace,
	}
}

func runTrace(c *cli.Context) error {
	id, err := exactlyOne(c, "event id, correlation id or receipt id")
	if err != nil {
		return err
	}
	f, err := newFinder(c)
	if err != nil {
		return failed(err)
	}
	defer f.close()
	t, err := f.find(c.Context, id, c.Duration("timeout"))
	if t != nil && c.String("output") == "json" {
		if err := printJSON(c.App.Writer, t); err != nil {
			return err
		}
	} else if t != nil {
		showTrace(c.App.Writer, t)
	}
	return err
}

func printJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}

func showTrace(w io.Writer, t *trace.Trace) {
	if len(t.Receipts) > 0 {
		attempts := newTable(w, "attempt at the door", "source", "verification", "answer", "became", "receipt", "raw record")
		for _, r := range t.Receipts {
			attempts.AppendRow(table.Row{moment(r.At), r.Source, r.Verification, r.Status, t.Became(r), r.ID, place((*trace.Position)(r.Raw))})
		}
		attempts.Render()
	}
	for i := range t.Events {
		e := &t.Events[i]
		fmt.Fprintf(w, "event %s", e.EventID)
		if e.CorrelationID != "" && e.CorrelationID != e.EventID {
			fmt.Fprintf(w, ", correlation %s", e.CorrelationID)
		}
		fmt.Fprintln(w)
		steps := newTable(w, "time", "stage", "destination", "outcome", "why", "policy", "record")
		for k := range e.Steps {
			s := &e.Steps[k]
			steps.AppendRow(table.Row{moment(s.At), s.Stage, s.Destination, s.Outcome, why(s), versions(s), place(s.Position)})
		}
		steps.Render()
		ends := newTable(w, "destination", "became", "why")
		for _, end := range e.Ends {
			if end.Copies > 0 {
				end.Outcome = fmt.Sprintf("%s, %d rows", end.Outcome, end.Copies)
			}
			ends.AppendRow(table.Row{end.Destination, end.Outcome, end.Reason})
		}
		ends.Render()
	}
	if len(t.Events) > 0 {
		fmt.Fprintln(w, t.Search.String())
	}
}

func newTable(w io.Writer, columns ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(columns)
	return t
}

func why(s *trace.Step) string {
	var parts []string
	for _, part := range []string{s.Reason, s.Path, s.Rule} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if s.Attempts > 1 {
		parts = append(parts, fmt.Sprintf("%d attempts", s.Attempts))
	}
	if s.ReplayEpoch > 0 {
		parts = append(parts, fmt.Sprintf("replay %d", s.ReplayEpoch))
	}
	return strings.Join(parts, ", ")
}

func versions(s *trace.Step) string {
	if s.Policy == "" {
		return ""
	}
	if s.ConsentVersion == "" {
		return s.Policy
	}
	return s.Policy + ", consent " + s.ConsentVersion
}

func place(p *trace.Position) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%s/%d@%d", p.Topic, p.Partition, p.Offset)
}
