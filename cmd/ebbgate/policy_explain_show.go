package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/ebbgate/ebbgate/internal/explain"
)

// bases words what an explanation of consent rests on.
var bases = map[string]string{
	explain.BasisClaim:    "the event's own claim; the subject's current records, and those of ids linked to it, were not asked (--consent states others)",
	explain.BasisGiven:    "what --consent states, else the event's own claim; the subject's current records, and those of ids linked to it, were not asked",
	explain.BasisDecision: "what its records say was decided, by what was known then of the subject and of ids linked to it",
}

func showExplanation(w io.Writer, r *explain.Report) {
	fmt.Fprintln(w, "event:   ", strings.TrimSpace(r.EventID+" "+r.EventName))
	if c := r.Contract; c != nil {
		fmt.Fprintf(w, "contract: %s %s, class %s (%s)\n", c.Event, c.Version, c.Class, c.Rule)
	}
	for _, p := range r.Policies {
		fmt.Fprintf(w, "policy:   %s (sha256 %s)\n", p.Version, p.SHA256)
	}
	if r.Consent != nil {
		showConsent(w, r.Consent)
	}
	for _, f := range r.Faults {
		fmt.Fprintf(w, "quarantined at %s: %s\n", f.Stage, joined(f.Code, f.Path, f.Rule, f.Remedy))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note:     %s\n", note)
	}
	if len(r.Removed) > 0 {
		fmt.Fprintln(w, "\nvalidate removes")
		showFields(w, r.Removed)
	}
	for i := range r.Destinations {
		if i == 0 || len(r.Destinations[i].Fields) > 0 || len(r.Destinations[i-1].Fields) > 0 {
			fmt.Fprintln(w)
		}
		showDestination(w, &r.Destinations[i])
	}
}

func showConsent(w io.Writer, c *explain.Consent) {
	fmt.Fprintf(w, "consent:  %s\n", bases[c.Basis])
	for _, p := range c.Purposes {
		state := "holds"
		if !p.Holds {
			state = "does not hold: " + p.Reason
		}
		fmt.Fprintf(w, "          %s %s\n", p.Purpose, state)
	}
}

func showDestination(w io.Writer, d *explain.Destination) {
	fmt.Fprintf(w, "%s: %s", d.Destination, d.Verdict)
	if d.Stage != "" {
		fmt.Fprintf(w, " at %s", d.Stage)
	}
	if detail := joined(d.Reason, d.Rule); detail != "" {
		fmt.Fprintf(w, ": %s", detail)
	}
	if d.Policy != "" {
		fmt.Fprintf(w, "; policy %s", d.Policy)
	}
	if d.ConsentVersion != "" {
		fmt.Fprintf(w, ", consent version %s", d.ConsentVersion)
	}
	if d.State != "" {
		fmt.Fprintf(w, "; now %s", d.State)
	}
	fmt.Fprintln(w)
	if d.Verified != nil {
		fmt.Fprintln(w, map[bool]string{
			true:  "its record on the destination's topic has exactly the fields that go by this",
			false: "ITS RECORD ON THE DESTINATION'S TOPIC HAS OTHER FIELDS than go by this: report it",
		}[*d.Verified])
	}
	if len(d.Fields) > 0 {
		showFields(w, d.Fields)
	}
}

func showFields(w io.Writer, fields []explain.Field) {
	t := newTable(w, "field", "decision", "rule", "as written", "why")
	for _, f := range fields {
		if f.Values > 1 {
			f.Path = fmt.Sprintf("%s (%d values)", f.Path, f.Values)
		}
		t.AppendRow(table.Row{f.Path, f.Decision, f.Rule, f.Text, f.Reason})
	}
	t.Render()
}

func joined(parts ...string) string {
	var present []string
	for _, part := range parts {
		if part != "" {
			present = append(present, part)
		}
	}
	return strings.Join(present, ", ")
}
