package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/identity"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/internal/topics"
)

func identityCommand() *cli.Command {
	both := append(subjectFlags(),
		&cli.StringFlag{Name: "with-user-id", Usage: "the other id, a user_id"},
		&cli.StringFlag{Name: "with-anonymous-id", Usage: "the other id, an anonymous_id"},
		&cli.StringFlag{Name: "with-account-id", Usage: "the other id, an account_id that stands for this one person"},
		&cli.StringFlag{Name: "source", Value: "ebbgate identity", Usage: "who says so"},
	)
	return &cli.Command{
		Name:  "identity",
		Usage: "Show or change which identifiers are one person",
		Description: `What is recorded of consent, suppression and erasure under one id of a person holds under all. Links lie in the
topic with role identity, as pairs of pseudonyms; calls of SDKs make them, and so does link. A change holds from the next event on.

Exit codes: 0 done, 1 failed, 2 more ids are linked to the subject than one person can have, so that its events are quarantined.

Examples:
  ebbgate identity show --anonymous-id a-9
  ebbgate identity link --user-id u_123 --with-user-id stripe:cus_9
  ebbgate identity unlink --user-id u_123 --with-anonymous-id kiosk --source support`,
		Subcommands: []*cli.Command{
			{Name: "show", Usage: "Print what is linked to a subject", Flags: subjectFlags(), Action: identityShow},
			{Name: "link", Usage: "Say that two ids are one person", Flags: both, Action: func(c *cli.Context) error { return identityWrite(c, false) }},
			{Name: "unlink", Usage: "Take back that two ids are one person", Flags: both, Action: func(c *cli.Context) error { return identityWrite(c, true) }},
		},
	}
}

func identityShow(c *cli.Context) error {
	return onLinks(c, func(ctx context.Context, log *subjectLog) (identity.Links, error) {
		return state.ReadLinks(ctx, log.client, log.topic, log.key)
	})
}

func identityWrite(c *cli.Context, removed bool) error {
	return onLinks(c, func(ctx context.Context, log *subjectLog) (found identity.Links, err error) {
		other, err := prefixedKey(c, log.ring, "with-")
		if err != nil {
			return found, err
		}
		link := identity.At(time.Now(), c.String("source"))
		link.Removed = removed
		return state.WriteLink(ctx, log.client, log.topic, log.key, other, link)
	})
}

// onLinks does something with the subject's links, and prints what is in force then.
func onLinks(c *cli.Context, do func(context.Context, *subjectLog) (identity.Links, error)) error {
	log, err := openSubjectLog(c, topics.Identity)
	if err != nil {
		return cli.Exit(err, 1)
	}
	ctx, cancel := context.WithTimeout(c.Context, subjectTimeout)
	defer cancel()
	found, err := do(ctx, log)
	if err != nil {
		return cli.Exit(err, 1)
	}
	if err := printLinks(c.App.Writer, &found, c.String("output")); err != nil {
		return err
	}
	if !found.Resolved {
		return cli.Exit(fmt.Sprintf("more than %d ids are linked: take back what is wrong with ebbgate identity unlink", identity.Limit), 2)
	}
	return nil
}

// linkRow is what is said of one pseudonym.
type linkRow struct {
	Subject   string     `json:"subject"`
	Linked    string     `json:"linked"` // directly, through others, or no where that was taken back
	Source    string     `json:"source,omitempty"`
	ChangedAt *time.Time `json:"changed_at,omitempty"`
}

func linkRows(found *identity.Links) []linkRow {
	rows := []linkRow{}
	for _, key := range slices.Sorted(maps.Keys(found.Direct)) {
		link := found.Direct[key]
		row := linkRow{key, "directly", link.Source, &link.ChangedAt}
		switch {
		case link.Removed && slices.Contains(found.All, key):
			row.Linked = "through others"
		case link.Removed:
			row.Linked = "no"
		}
		rows = append(rows, row)
	}
	for _, key := range slices.Sorted(slices.Values(found.All)) {
		if _, direct := found.Direct[key]; !direct {
			rows = append(rows, linkRow{Subject: key, Linked: "through others"})
		}
	}
	return rows
}

func printLinks(w io.Writer, found *identity.Links, output string) error {
	rows := linkRows(found)
	if output == "json" {
		return json.NewEncoder(w).Encode(map[string]any{"subject": found.Key, "resolved": found.Resolved, "links": rows})
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintf(w, "subject %s: nothing is linked to it\n", found.Key)
		return err
	}
	fmt.Fprintf(w, "subject %s: %d others are the same person\n", found.Key, len(found.All))
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"subject", "linked", "by", "at"})
	for _, r := range rows {
		at := ""
		if r.ChangedAt != nil {
			at = r.ChangedAt.Format(time.RFC3339)
		}
		t.AppendRow(table.Row{r.Subject, r.Linked, r.Source, at})
	}
	t.Render()
	return nil
}
