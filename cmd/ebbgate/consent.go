package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

const consentTimeout = 30 * time.Second

func consentCommand() *cli.Command {
	return &cli.Command{
		Name:  "consent",
		Usage: "Show or change the recorded consent of a subject",
		Description: `Consent records lie in the topic with role consent, keyed by a pseudonym of the subject. A change holds
from the next event on: at the govern stage and again just before every export.

Examples:
  ebbgate consent show --user-id u_123
  ebbgate consent set --user-id u_123 marketing=false
  ebbgate consent set --anonymous-id a-9 --source banner analytics=true marketing=false`,
		Subcommands: []*cli.Command{
			{Name: "show", Usage: "Print the current record of a subject", Flags: consentFlags(), Action: consentShow},
			{
				Name: "set", Usage: "State purposes of a subject; those not named stay as they are", ArgsUsage: "PURPOSE=true|false ...",
				Flags:  append(consentFlags(), &cli.StringFlag{Name: "source", Value: "ebbgate consent", Usage: "who says so"}),
				Action: consentSet,
			},
		},
	}
}

func consentFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "user-id", Usage: "the subject's user_id"},
		&cli.StringFlag{Name: "anonymous-id", Usage: "the subject's anonymous_id"},
		&cli.StringFlag{Name: "account-id", Usage: "the subject's account_id"},
		&cli.StringFlag{Name: "brokers", EnvVars: []string{"EBBGATE_BROKERS"}, Value: "127.0.0.1:9092", Usage: "broker addresses, comma separated"},
		workspaceFlag(),
		outputFlag(),
	}
}

// subjectLog is where the consent of one subject is recorded.
type subjectLog struct {
	client *kafka.Client
	topic  string
	key    string
	ws     *workspace.Workspace
}

func openSubjectLog(c *cli.Context) (*subjectLog, error) {
	ws, err := workspace.Load(c.String("workspace"))
	if err != nil {
		return nil, err
	}
	topic, ok := ws.Topics.ByRole(topics.Consent)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role consent", ws.Dir)
	}
	ring, err := keys.FromEnvironment()
	if err != nil {
		return nil, err
	}
	key, err := subjectKey(c, ring)
	if err != nil {
		return nil, err
	}
	if err := answers(c.Context, c.String("brokers")); err != nil {
		return nil, err
	}
	client, err := kafkaClient(c.String("brokers"))
	return &subjectLog{client, topic.Name, key, ws}, err
}

func subjectKey(c *cli.Context, ring *keys.Ring) (string, error) {
	key := ""
	for _, kind := range []string{"user_id", "anonymous_id", "account_id"} {
		id := c.String(strings.ReplaceAll(kind, "_", "-"))
		switch {
		case id == "":
		case key != "":
			return "", errors.New("name one of --user-id, --anonymous-id and --account-id, not several")
		default:
			key = ring.SubjectPseudonym(kind, id)
		}
	}
	if key == "" {
		return "", errors.New("name the subject with --user-id, --anonymous-id or --account-id")
	}
	return key, nil
}

// kafkaClient builds the shared client from a list of addresses, with the defaults components have.
func kafkaClient(brokers string) (*kafka.Client, error) {
	list, err := json.Marshal(map[string]any{kafka.FieldSeedBrokers: strings.Split(brokers, ",")})
	if err != nil {
		return nil, err
	}
	conf, err := service.NewConfigSpec().Fields(kafka.ClientFields()...).ParseYAML(string(list), nil)
	if err != nil {
		return nil, err
	}
	return kafka.ParseClient(conf, nil)
}

func consentShow(c *cli.Context) error {
	log, err := openSubjectLog(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	ctx, cancel := context.WithTimeout(c.Context, consentTimeout)
	defer cancel()
	rec, err := state.ReadConsent(ctx, log.client, log.topic, log.key)
	if err != nil {
		return cli.Exit(err, 1)
	}
	return printConsent(c.App.Writer, log.key, rec, c.String("output"))
}

func consentSet(c *cli.Context) error {
	for _, arg := range c.Args().Slice() {
		if flag, _, _ := strings.Cut(arg, "="); strings.HasPrefix(flag, "-") {
			return cli.Exit(fmt.Errorf("%s stands behind a purpose: put flags before the purposes", flag), 1)
		}
	}
	log, err := openSubjectLog(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	purposes, err := parsePurposes(c.Args().Slice(), log.ws)
	if err != nil {
		return cli.Exit(err, 1)
	}
	ctx, cancel := context.WithTimeout(c.Context, consentTimeout)
	defer cancel()
	rec, err := state.WriteConsent(ctx, log.client, log.topic, log.key, purposes, c.String("source"), time.Now())
	if err != nil {
		return cli.Exit(err, 1)
	}
	return printConsent(c.App.Writer, log.key, rec, c.String("output"))
}

func parsePurposes(args []string, ws *workspace.Workspace) (map[string]bool, error) {
	if len(args) == 0 {
		return nil, errors.New("state at least one purpose, such as marketing=false")
	}
	purposes := map[string]bool{}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		if _, known := ws.Policy.Purposes().Bit(name); !known {
			return nil, fmt.Errorf("the policy knows no purpose %q: it knows %s", name, strings.Join(ws.Policy.Purposes().Names(), ", "))
		}
		if value != "true" && value != "false" {
			return nil, fmt.Errorf("purpose %s: say %s=true or %s=false", name, name, name)
		}
		purposes[name] = value == "true"
	}
	return purposes, nil
}

func printConsent(w io.Writer, key string, rec *consent.Record, output string) error {
	if output == "json" {
		if rec == nil {
			_, err := fmt.Fprintln(w, "null")
			return err
		}
		_, err := fmt.Fprintf(w, "%s\n", rec.Append(nil))
		return err
	}
	if rec == nil {
		_, err := fmt.Fprintf(w, "subject %s: no consent record\n", key)
		return err
	}
	fmt.Fprintf(w, "subject %s: version %d, by %s at %s\n", key, rec.Version, rec.Source, rec.ChangedAt.Format(time.RFC3339))
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"purpose", "consent"})
	for _, name := range slices.Sorted(maps.Keys(rec.Purposes)) {
		t.AppendRow(table.Row{name, rec.Purposes[name]})
	}
	t.Render()
	return nil
}
