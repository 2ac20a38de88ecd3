package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/explain"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/trace"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// Exit codes of an explanation, beside those of searches.
const (
	exitQuarantined = 3
	exitRules       = 5 // policy or contracts do not compile
)

func policyExplainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "Say of one event what the gate does with it, field by field, and which line makes it so",
		ArgsUsage: "event.json | -",
		Description: `Takes one event as JSON, from a file or standard input, through the gate's own code: strict parsing, envelope, contract,
consent and policy. Nothing is contacted and no keys are needed. For each destination it prints the verdict with its reason and
the line that made it, and where the event goes every field with its decision:

  keep, transform   it goes                              drop        a rule drops it
  not_listed        no rule names it                     requires    it needs consent to a further purpose, which does not hold
  wrong_type        it is not of the rule's type         unreadable  its transform cannot read it
  remove            its contract does not declare it: the validate stage removes it

Values of the event are never printed, only names and decisions. Names that no contract declares are shown where they are plain
words, and read ? otherwise, as they may be data.

Consent is what the event itself claims. The subject's current records are not asked, and the output says so. --consent states
purposes in place of the claim and of the records; purposes it does not name stay as the event claims them.

With --event-id it explains an event of the running system instead: what was decided, by the policy version on its records, read
from the topic with role policies. Fields are explained as long as the event is on the topic with role validated, and held
against the record in the destination's topic.

Exit codes: 0 explained, whatever the verdicts; 1 the running system could not be searched; 2 what is asked for is not there: a
file, a destination, a purpose; 3 the event goes, or went, to quarantine; 4 --event-id was not found, and where was looked is told;
5 policy or contracts do not compile; 6 ClickHouse did not answer, and what the topics tell is explained.

--output json prints {"event_id", "event_name", "policies": [{"version", "sha256"}], "contract": {"event", "version", "class", "rule"},
"consent": {"basis": "claim|given|decision", "purposes": [{"purpose", "holds", "reason"}]}, "faults": [{"stage", "code", "path", "rule",
"remedy"}], "removed": [FIELD], "destinations": [{"destination", "verdict": "allowed|denied|quarantined|undecided", "stage", "reason",
"rule", "policy", "consent_version", "state", "verified", "fields": [FIELD]}], "notes"} with FIELD {"path", "decision", "rule", "text",
"reason", "values"}. Fields are added, not renamed; absent ones are empty.

Examples:
  ebbgate policy explain event.json
  ebbgate policy explain --consent marketing=false --destination activation event.json
  ebbgate policy explain --policy policy-next.yaml --output json - < event.json
  ebbgate policy explain --event-id evt_a7jbu74phn83hod33505eqr6ng --since 72h`,
		Flags: append(
			findFlags(),
			&cli.StringFlag{Name: "policy", Usage: "judge by this file instead of the workspace's policy.yaml"},
			&cli.StringFlag{Name: "destination", Usage: "only this destination"},
			&cli.StringFlag{Name: "consent", Usage: "PURPOSE=true|false, several separated by commas"},
			&cli.StringFlag{Name: "event-id", Usage: "explain this event of the running system"},
			outputFlag(),
		),
		Action: explainEvent,
	}
}

func explainEvent(c *cli.Context) error {
	explained := explainFile
	if c.String("event-id") != "" {
		explained = explainRecorded
	}
	report, err := explained(c)
	if report == nil {
		return failed(err)
	}
	only(report, c.String("destination"))
	if c.String("output") != "json" {
		showExplanation(c.App.Writer, report)
	} else if err := printJSON(c.App.Writer, report); err != nil {
		return err
	}
	if err == nil && report.Quarantined() {
		return cli.Exit("the event is quarantined: "+report.Faults[0].Code, exitQuarantined)
	}
	return err
}

func explainFile(c *cli.Context) (*explain.Report, error) {
	if c.NArg() != 1 {
		return nil, cli.Exit("name one file with an event after the flags, - for standard input, or --event-id", exitAsked)
	}
	if name := c.String("policy"); name != "" {
		if _, err := os.Stat(name); err != nil {
			return nil, cli.Exit(fmt.Sprintf("reading the policy: %q: %v", name, errors.Unwrap(err)), exitAsked)
		}
	}
	ws, err := workspace.LoadRules(c.String("workspace"), c.String("policy"))
	if err != nil {
		return nil, cli.Exit(err, exitRules)
	}
	if err := knows(ws, c.String("destination")); err != nil {
		return nil, err
	}
	given, err := parseGiven(c.String("consent"))
	if err != nil {
		return nil, cli.Exit(err, exitAsked)
	}
	body, err := readEvent(c.Args().First(), c.App.Reader)
	if err != nil {
		return nil, cli.Exit(err, exitAsked)
	}
	e, err := explain.New(ws)
	if err != nil {
		return nil, cli.Exit(err, exitRules)
	}
	report, err := e.Event(body, explain.Options{Now: time.Now(), Consent: given})
	if err != nil {
		return nil, cli.Exit(err, exitAsked)
	}
	return report, nil
}

// readEvent reads no more than shows that an event is too large.
func readEvent(name string, in io.Reader) ([]byte, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("reading the event: %q: %w", name, errors.Unwrap(err))
		}
		defer file.Close()
		in = file
	}
	body, err := io.ReadAll(io.LimitReader(in, int64(event.DefaultLimits.MaxBytes)+1))
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	return body, nil
}

func parseGiven(text string) (map[string]bool, error) {
	if text == "" {
		return nil, nil
	}
	given := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if name == "" || (value != "true" && value != "false") {
			return nil, fmt.Errorf("--consent is %q: write PURPOSE=true or PURPOSE=false, several separated by commas", text)
		}
		if _, twice := given[name]; twice {
			return nil, fmt.Errorf("--consent is %q: it states %s twice", text, name)
		}
		given[name] = value == "true"
	}
	return given, nil
}

func explainRecorded(c *cli.Context) (*explain.Report, error) {
	for _, flag := range []string{"policy", "consent"} {
		if c.IsSet(flag) {
			return nil, cli.Exit("--"+flag+" does not go with --event-id, which explains what was decided", exitAsked)
		}
	}
	if c.Args().Present() {
		return nil, cli.Exit("name a file or --event-id, not both", exitAsked)
	}
	id, err := validID(c.String("event-id"))
	if err != nil {
		return nil, err
	}
	f, err := newFinder(c)
	if err != nil {
		return nil, err
	}
	defer f.close()
	if err := knows(f.ws, c.String("destination")); err != nil {
		return nil, err
	}
	published, ok := f.ws.Topics.ByRole(topics.Policies)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role policies: add privacy.policies with role: policies", f.ws.Dir)
	}
	t, searched := f.find(c.Context, id, c.Duration("timeout"))
	if t == nil || len(t.Events) == 0 {
		return nil, searched
	}
	rules, err := trace.Policies(c.Context, f.client, published.Name)
	if err != nil {
		return nil, err
	}
	for i := range t.Events {
		if t.Events[i].EventID == id {
			return explain.Recorded(t.Events[i].Evidence(), rules), searched
		}
	}
	return nil, cli.Exit(fmt.Sprintf("%s is no event but what events came with, as a correlation id or a receipt: `ebbgate trace %s` lists them", id, id), exitAsked)
}

// knows refuses a destination that the policy does not have, before anything is searched.
func knows(ws *workspace.Workspace, destination string) error {
	var names []string
	for _, d := range ws.Policy.Destinations {
		names = append(names, d.Name)
	}
	if destination == "" || slices.Contains(names, destination) {
		return nil
	}
	return cli.Exit(fmt.Sprintf("--destination is %q: the policy has %s", destination, strings.Join(names, ", ")), exitAsked)
}

// only leaves one destination in the report.
func only(r *explain.Report, name string) {
	r.Destinations = slices.DeleteFunc(r.Destinations, func(d explain.Destination) bool { return name != "" && d.Destination != name })
}
