package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/workspace"
)

const defaultWorkspace = "./pipelines"

func policyCommand() *cli.Command {
	return &cli.Command{
		Name:  "policy",
		Usage: "Check the policy and the contracts it governs, and explain what they do to an event",
		Subcommands: []*cli.Command{{
			Name:  "check",
			Usage: "Compile policy, contracts and topics together and show what each destination may have",
			Description: `Reads policy.yaml, contracts/ and topics.yaml of a workspace the way a stage does at start. Every problem is
printed with file, line and remedy, and the exit code is 1. Nothing is contacted.

Examples:
  ebbgate policy check
  ebbgate policy check --workspace ./pipelines --output json`,
			Flags: []cli.Flag{workspaceFlag(), outputFlag()},
			Action: func(c *cli.Context) error {
				ws, err := workspace.Load(c.String("workspace"))
				if err != nil {
					return cli.Exit(err, 1)
				}
				return showPolicy(c.App.Writer, ws, c.String("output"))
			},
		}, policyExplainCommand()},
	}
}

func workspaceFlag() cli.Flag {
	return &cli.StringFlag{Name: "workspace", Value: defaultWorkspace, Usage: "folder with policy.yaml, contracts/ and topics.yaml"}
}

type destinationSummary struct {
	Destination string   `json:"destination"`
	Purpose     string   `json:"purpose"`
	Kind        string   `json:"kind"`
	Owner       string   `json:"owner"`
	Topic       string   `json:"topic"`
	Unless      []string `json:"unless"`
	Fields      int      `json:"fields"`
}

func showPolicy(w io.Writer, ws *workspace.Workspace, output string) error {
	var rows []destinationSummary
	for _, d := range ws.Policy.Destinations {
		topic, _ := ws.Topics.ByDestination(d.Name)
		unless := []string{"erased"}
		if d.UnlessSuppressed {
			unless = append(unless, "suppressed")
		}
		rows = append(rows, destinationSummary{d.Name, d.Purpose, d.Kind, d.Owner, topic.Name, unless, len(d.Rules)})
	}
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"version": ws.Policy.Version, "sha256": ws.Hash(), "destinations": rows})
	}
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"destination", "purpose", "kind", "owner", "topic", "not for", "fields"})
	for _, r := range rows {
		t.AppendRow(table.Row{r.Destination, r.Purpose, r.Kind, r.Owner, r.Topic, r.Unless, r.Fields})
	}
	fmt.Fprintf(w, "policy %s, %d contracts: no problems\n", ws.Policy.Version, len(ws.Contracts.All()))
	t.Render()
	return nil
}
