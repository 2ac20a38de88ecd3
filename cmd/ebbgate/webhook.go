package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/sender"
	"github.com/ebbgate/ebbgate/internal/signature"
	"github.com/ebbgate/ebbgate/plugins/webhook"
)

func webhookCommand() *cli.Command {
	return &cli.Command{
		Name:  "webhook",
		Usage: "Sign and send sample deliveries, and make secrets to try with",
		Subcommands: []*cli.Command{
			{
				Name: "send", Usage: "Sign a delivery as its provider would and post it", ArgsUsage: "SOURCE|PROVIDER [FILE|-]",
				Description: `Finds the endpoint by its source or provider in doors/ and streams/ of the workspace, signs with its first secret and posts to its
address. Without FILE a sample is sent. Providers: ` + strings.Join(signature.Providers(), ", ") + `.

--url sends elsewhere; --secret-file or --secret-env signs with another secret. Where a key pair signs (SendGrid), the secret must
be the private key.

Exit codes: 0 every attempt was answered with 2xx; 1 none could be made or answered; 3 an attempt was answered with something else.

Examples:
  ebbgate webhook send stripe
  ebbgate webhook send --type issues github issue.json
  ebbgate webhook send --id evt_42 --repeat 3 stripe        one event, three deliveries`,
				Flags: append([]cli.Flag{
					workspaceFlag(),
					&cli.StringFlag{Name: "url", Usage: "where to send, in place of the endpoint's address"},
					&cli.StringFlag{Name: "id", Usage: "the provider's id of the event; of a FILE it is used only where it stands in a header (default: a new one, or of a FILE its hash)"},
					&cli.StringFlag{Name: "type", Usage: "the type, where it stands in a header (default: the sample's)"},
					&cli.IntFlag{Name: "repeat", Value: 1, Usage: "how often to send the same delivery, as a provider does that had no answer"},
					&cli.DurationFlag{Name: "timeout", Value: 30 * time.Second, Usage: "how long one answer may take"},
					outputFlag(),
				}, secretFlags()...),
				Action: webhookSend,
			},
			{
				Name: "secrets", Usage: "Make a secret to try with for every endpoint whose file is not there",
				Description: `Writes files with mode 0600 and none that exists. Replace each by the secret that the provider shows before the provider delivers.`,
				Flags:       []cli.Flag{workspaceFlag()}, Action: webhookSecrets,
			},
		},
	}
}

func secretFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "secret-file", Usage: "a file with the secret, in place of the endpoint's own"},
		&cli.StringFlag{Name: "secret-env", Usage: "the environment variable with the secret, in place of the endpoint's own"},
	}
}

// givenSecret is the secret that the command line names, or none.
func givenSecret(c *cli.Context) ([]signature.Secret, error) {
	file, env := c.String("secret-file"), c.String("secret-env")
	switch {
	case file != "" && env != "":
		return nil, errors.New("--secret-file and --secret-env: give one of them")
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--secret-file: %w", err)
		}
		return []signature.Secret{{ID: "given", Value: strings.TrimRight(string(text), "\r\n")}}, nil
	case env != "":
		if os.Getenv(env) == "" {
			return nil, fmt.Errorf("--secret-env: %s is not set, or empty", env)
		}
		return []signature.Secret{{ID: "given", Value: os.Getenv(env)}}, nil
	}
	return nil, nil
}

func webhookSend(c *cli.Context) error {
	if c.NArg() < 1 || c.NArg() > 2 {
		return cli.Exit("name a source or provider, and at most one file, after the flags", 1)
	}
	d, err := composeDelivery(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	client := &http.Client{
		Timeout:       c.Duration("timeout"),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answers := []sender.Answer{}
	refused := false
	for range c.Int("repeat") {
		a, err := sender.Post(c.Context, client, d)
		if err != nil {
			return cli.Exit(err, 1)
		}
		answers, refused = append(answers, a), refused || !a.Accepted()
	}
	if err := showAnswers(c, d, answers); err != nil {
		return err
	}
	if refused {
		return cli.Exit("the door did not take it: `ebbgate receipts show RECEIPT` says why, where there is a receipt", 3)
	}
	return nil
}

func composeDelivery(c *cli.Context) (d sender.Delivery, err error) {
	all, err := webhook.DescribeAll(os.DirFS(c.String("workspace")), os.LookupEnv)
	if err != nil {
		return d, err
	}
	endpoint, err := webhook.Choose(all, c.Args().First())
	if err != nil {
		return d, fmt.Errorf("%s: %w", c.Args().First(), err)
	}
	instead, err := givenSecret(c)
	if err != nil {
		return d, err
	}
	d = sender.Delivery{URL: endpoint.URL, ID: c.String("id"), Type: c.String("type")}
	if url := c.String("url"); url != "" {
		d.URL = url
	}
	if d.Scheme, err = endpoint.Scheme(instead...); err != nil {
		return d, err
	}
	if d.Type == "" {
		d.Type = sender.SampleType(endpoint.Provider)
	}
	return d, fillBody(c, &d, endpoint)
}

// fillBody takes the body of the file, byte for byte, or a sample.
func fillBody(c *cli.Context, d *sender.Delivery, endpoint *webhook.Described) (err error) {
	switch file := c.Args().Get(1); file {
	case "":
		if d.ID == "" {
			d.ID = sender.NewID()
		}
		d.Body, err = sender.Sample(endpoint.Provider, d.ID, time.Now())
		return err
	case "-":
		d.Body, err = io.ReadAll(c.App.Reader)
	default:
		d.Body, err = os.ReadFile(file)
	}
	if err == nil && d.ID == "" {
		d.ID = event.DeriveID(endpoint.Source, string(d.Body))
	}
	return err
}

func showAnswers(c *cli.Context, d sender.Delivery, answers []sender.Answer) error {
	if c.String("output") == "json" {
		return printJSON(c.App.Writer, answers)
	}
	rows := newTable(c.App.Writer, "attempt", "answer", "ms", "receipt", "correlation")
	for i, a := range answers {
		rows.AppendRow(table.Row{i + 1, a.Status, fmt.Sprintf("%.1f", 1000*a.Seconds), a.Receipt, a.Correlation})
	}
	rows.Render()
	_, err := fmt.Fprintf(c.App.Writer, "%d bytes to %s, id %s\n", len(d.Body), d.URL, d.ID)
	return err
}

func webhookSecrets(c *cli.Context) error {
	all, err := webhook.DescribeAll(os.DirFS(c.String("workspace")), os.LookupEnv)
	if err != nil {
		return cli.Exit(err, 1)
	}
	count := 0
	for i := range all {
		made, err := all[i].MakeSecrets()
		for _, file := range made {
			count++
			fmt.Fprintln(c.App.Writer, file)
		}
		if err != nil {
			return cli.Exit(err, 1)
		}
	}
	fmt.Fprintf(c.App.ErrWriter, "%d secrets made to try with; put those of the providers in their place\n", count)
	return nil
}
