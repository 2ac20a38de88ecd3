package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/ebbgate/ebbgate/internal/kafka"
)

func showTopics(w io.Writer, plan *kafka.Plan, output string) error {
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(plan)
	}
	var out strings.Builder
	if len(plan.Changes) == 0 {
		out.WriteString("Nothing to change.\n")
	} else {
		out.WriteString(changesTable(plan.Changes) + "\n")
	}
	for _, warning := range plan.Warnings {
		out.WriteString("warning: " + warning + "\n")
	}
	if len(plan.NotOurs) > 0 {
		fmt.Fprintf(&out, "not ours, left alone: %s\n", strings.Join(plan.NotOurs, ", "))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func changesTable(changes []kafka.Change) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"topic", "what", "from", "to", "needs", "what it costs"})
	for _, c := range changes {
		t.AppendRow(table.Row{c.Topic, c.What, c.From, c.To, c.Needs, c.Costs})
	}
	return t.Render()
}
