package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/internal/topics"
)

func suppressionCommand() *cli.Command {
	source := &cli.StringFlag{Name: "source", Value: "ebbgate suppression", Usage: "who says so"}
	return &cli.Command{
		Name:  "suppression",
		Usage: "Show, add or remove the suppression of a subject",
		Description: `A suppressed subject must not be contacted, whatever they consented to: destinations with unless: [suppressed]
get none of their events. Records lie in the topic with role suppression, keyed by a pseudonym of the subject. A change holds from
the next event on: at the govern stage and again just before every export.

Examples:
  ebbgate suppression show --user-id u_123
  ebbgate suppression add --user-id u_123 --reason unsubscribe --channel email
  ebbgate suppression remove --user-id u_123 --source "privacy desk"`,
		Subcommands: []*cli.Command{
			{Name: "show", Usage: "Print the current suppression of a subject", Flags: subjectFlags(), Action: suppressionShow},
			{
				Name: "add", Usage: "Suppress a subject; channels add to those already suppressed",
				Flags: append(subjectFlags(), source,
					&cli.StringFlag{Name: "reason", Required: true, Usage: "why, such as unsubscribe, spam_report or hard_bounce"},
					&cli.StringSliceFlag{Name: "channel", Usage: "a channel it is about, for those who send; several are possible, none means all"}),
				Action: suppressionAdd,
			},
			{Name: "remove", Usage: "Lift the suppression of a subject", Flags: append(subjectFlags(), source), Action: suppressionRemove},
		},
	}
}

func suppressionShow(c *cli.Context) error {
	return onSuppression(c, func(ctx context.Context, log *subjectLog) (*consent.Suppression, error) {
		return state.ReadSuppression(ctx, log.client, log.topic, log.key)
	})
}

func suppressionAdd(c *cli.Context) error {
	return onSuppression(c, func(ctx context.Context, log *subjectLog) (*consent.Suppression, error) {
		return state.WriteSuppression(ctx, log.client, log.topic, log.key, consent.Suppression{
			Channels: c.StringSlice("channel"), Reason: c.String("reason"), Source: c.String("source"), ChangedAt: time.Now(),
		})
	})
}

func suppressionRemove(c *cli.Context) error {
	return onSuppression(c, func(ctx context.Context, log *subjectLog) (*consent.Suppression, error) {
		return state.WriteSuppression(ctx, log.client, log.topic, log.key, consent.Suppression{
			Lifted: true, Source: c.String("source"), ChangedAt: time.Now(),
		})
	})
}

// onSuppression does something with the subject's record, and prints what is in force then.
func onSuppression(c *cli.Context, do func(context.Context, *subjectLog) (*consent.Suppression, error)) error {
	log, err := openSubjectLog(c, topics.Suppression)
	if err != nil {
		return cli.Exit(err, 1)
	}
	ctx, cancel := context.WithTimeout(c.Context, subjectTimeout)
	defer cancel()
	rec, err := do(ctx, log)
	if err != nil {
		return cli.Exit(err, 1)
	}
	return printSuppression(c.App.Writer, log.key, rec, c.String("output"))
}

func printSuppression(w io.Writer, key string, rec *consent.Suppression, output string) (err error) {
	switch {
	case output == "json" && rec == nil:
		_, err = fmt.Fprintln(w, "null")
	case output == "json":
		_, err = fmt.Fprintf(w, "%s\n", rec.Append(nil))
	case rec == nil:
		_, err = fmt.Fprintf(w, "subject %s: not suppressed\n", key)
	case rec.Unreadable:
		_, err = fmt.Fprintf(w, "subject %s: suppressed, by a record that cannot be read\n", key)
	case rec.Lifted:
		_, err = fmt.Fprintf(w, "subject %s: not suppressed, version %d, lifted by %s at %s\n", key, rec.Version, rec.Source, rec.ChangedAt.Format(time.RFC3339))
	default:
		channels := "all channels"
		if len(rec.Channels) > 0 {
			channels = strings.Join(rec.Channels, ", ")
		}
		_, err = fmt.Fprintf(w, "subject %s: suppressed (%s) on %s, version %d, by %s at %s\n",
			key, rec.Reason, channels, rec.Version, rec.Source, rec.ChangedAt.Format(time.RFC3339))
	}
	return err
}
