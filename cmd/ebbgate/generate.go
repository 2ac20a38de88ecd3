package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/generate"
	"github.com/ebbgate/ebbgate/internal/npm"
)

func generateCommand() *cli.Command {
	return &cli.Command{
		Name:  "generate",
		Usage: "Make realistic events, good and bad, with a ledger of what should become of each",
		Description: `Writes the journeys of made-up people as events: signing up, trials, daily use, invoices, mails and forms. The
same seed and start give the same bytes. The ledger says for every event that was written durably which code must
quarantine it, or which purposes its consent denies.

All addresses are of example.com and the documentation ranges: no person is meant.

Examples:
  ebbgate generate --count 5
  ebbgate generate --count 100000 --bad-share 0.02 --no-consent-share 0.1 --output topic --ledger ledger.ndjson
  ebbgate generate --count 0 --rate 500 --output topic           # a steady stream until Ctrl-C
  ebbgate generate --canaries 100 --canary-list canaries.json    # plant texts to search for downstream
  ebbgate generate --github --output topic                       # GitHub's own example webhooks to inbound.github`,
		Flags:  append(generateFlags(), generateOutputFlags()...),
		Action: generateAction,
	}
}

func generateFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "count", Value: 10_000, Usage: "number of events; 0 goes on until Ctrl-C"},
		&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "what looks random follows from it"},
		&cli.IntFlag{Name: "users", Value: 1000, Usage: "number of made-up people"},
		&cli.TimestampFlag{Name: "start", Layout: time.RFC3339, Usage: "`TIME` of the first event; default is so that the last one is now"},
		&cli.DurationFlag{Name: "span", Value: time.Hour, Usage: "time from the first event to the last"},
		&cli.Float64Flag{Name: "rate", Usage: "most events a second; 0 is as fast as they can be written"},
		&cli.Float64Flag{Name: "bad-share", Usage: "share of events with one flaw, 0 to 1"},
		&cli.Float64Flag{Name: "no-consent-share", Usage: "share of events that carry no consent"},
		&cli.Float64Flag{Name: "withdrawn-share", Usage: "share of people who withdraw consent on the way"},
		&cli.Float64Flag{Name: "repeat-share", Usage: "share of events that are sent twice"},
		&cli.IntFlag{Name: "canaries", Usage: "plant unique texts in the identifiers of every `N`th event"},
		&cli.BoolFlag{Name: "github", Usage: "send GitHub's example webhooks instead (fetched once with npm)"},
	}
}

func generateOutputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Value: "ndjson", Usage: "ndjson (to standard output) or topic"},
		&cli.StringFlag{Name: "brokers", Value: "127.0.0.1:9092", EnvVars: []string{"EBBGATE_BROKERS"}, Usage: "addresses of brokers, separated by commas"},
		&cli.StringFlag{Name: "topic", Usage: "topic to produce to; default inbound.events, or inbound.github with --github"},
		&cli.StringFlag{Name: "ledger", Usage: "`FILE` for one line per event that was written durably"},
		&cli.StringFlag{Name: "canary-list", Usage: "`FILE` for the canaries as JSON"},
	}
}

func generateAction(c *cli.Context) error {
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	opts, err := generateOptions(c)
	if err != nil {
		return err
	}
	g := generate.New(opts)
	from, total := g.Records(), opts.Count
	if c.Bool("github") {
		list, err := githubDeliveries(ctx, c.App.ErrWriter)
		if err != nil {
			return err
		}
		from, total = generate.Deliveries(list), len(list)
	}
	to, err := generateOutput(c)
	if err != nil {
		return err
	}
	run := generate.RunOptions{Rate: c.Float64("rate")}
	if path := c.String("ledger"); path != "" {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("opening the ledger: %w", err)
		}
		defer file.Close()
		run.Ledger = file
	}
	bar := generateProgress(c.App.ErrWriter, total)
	run.Progress = func(done int) { _ = bar.Set(done) }
	sum, err := generate.Run(ctx, from, to, run)
	_ = bar.Finish()
	fmt.Fprintf(c.App.ErrWriter, "%d events (%d flawed, %d repeats), %.1f MB in %s\n",
		sum.Records, sum.Flawed, sum.Repeats, float64(sum.Bytes)/1e6, sum.Elapsed.Round(time.Millisecond))
	return errors.Join(err, writeCanaries(c.String("canary-list"), g.Canaries()))
}

func generateOptions(c *cli.Context) (generate.Options, error) {
	opts := generate.Options{
		Seed: c.Uint64("seed"), Count: c.Int("count"), Users: c.Int("users"), Span: c.Duration("span"), CanaryEvery: c.Int("canaries"),
		BadShare: c.Float64("bad-share"), MissingConsentShare: c.Float64("no-consent-share"),
		WithdrawnShare: c.Float64("withdrawn-share"), RepeatShare: c.Float64("repeat-share"),
	}
	for _, flag := range [...]string{"bad-share", "no-consent-share", "withdrawn-share", "repeat-share"} {
		if share := c.Float64(flag); share < 0 || share > 1 {
			return opts, fmt.Errorf("--%s is %v: give a share between 0 and 1", flag, share)
		}
	}
	if opts.Count < 0 || opts.Users < 1 || opts.Span <= 0 || opts.CanaryEvery < 0 || c.Float64("rate") < 0 {
		return opts, errors.New("reading flags: counts, rates and spans cannot be negative, and it takes one user and some span")
	}
	if start := c.Timestamp("start"); start != nil {
		opts.Start = *start
		return opts, nil
	}
	opts.Start = time.Now().UTC().Truncate(time.Millisecond)
	if opts.Count > 0 {
		opts.Start = opts.Start.Add(-opts.Span)
	}
	// A stream without end keeps to the clock, so that no event lies in the future.
	opts.Step = time.Microsecond
	if rate := c.Float64("rate"); rate > 0 {
		opts.Step = time.Duration(float64(time.Second) / rate)
	}
	return opts, nil
}

func generateOutput(c *cli.Context) (generate.Output, error) {
	switch output := c.String("output"); output {
	case "ndjson":
		return generate.NDJSON(c.App.Writer), nil
	case "topic":
		topic := c.String("topic")
		if topic == "" {
			topic = "inbound.events"
			if c.Bool("github") {
				topic = "inbound.github"
			}
		}
		if err := answers(c.Context, c.String("brokers")); err != nil {
			return nil, err
		}
		return generate.Topic(topic, kgo.SeedBrokers(strings.Split(c.String("brokers"), ",")...))
	default:
		return nil, fmt.Errorf("--output is %q: use ndjson or topic", output)
	}
}

func githubDeliveries(ctx context.Context, progress io.Writer) ([]generate.Delivery, error) {
	cache, err := npm.CacheDir()
	if err != nil {
		return nil, err
	}
	fetcher := npm.Fetcher{CacheDir: cache}
	if _, ok := fetcher.Cached(generate.GitHubExamples); !ok {
		fmt.Fprintf(progress, "fetching %s, once\n", generate.GitHubExamples)
	}
	return generate.GitHub(ctx, fetcher)
}

// generateProgress draws a bar on a terminal and nothing elsewhere.
func generateProgress(w io.Writer, total int) *progressbar.ProgressBar {
	if total == 0 {
		total = -1
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetVisibility(isTerminal(w)),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("events"),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

func writeCanaries(path string, list []generate.Canary) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(list, "", " ")
	if err == nil {
		err = os.WriteFile(path, append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing the canaries: %w", err)
	}
	return nil
}
