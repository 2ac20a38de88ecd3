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

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/generate"
	"github.com/ebbgate/ebbgate/internal/npm"
	"github.com/ebbgate/ebbgate/internal/sandbox"
)

// sandboxCommand is `ebbgate sandbox`: a broker, a ClickHouse and a PostgreSQL on this machine, without containers.
func sandboxCommand() *cli.Command {
	return &cli.Command{
		Name:  "sandbox",
		Usage: "Run a broker, a ClickHouse and a PostgreSQL on this machine, without containers",
		Description: `Starts a broker and a ClickHouse as processes bound to loopback, with data, keys and logs
in one folder. ClickHouse is, in this order: the server named by EBBGATE_CLICKHOUSE_DSN; the
embedded engine, fetched once through the npm client into the user's cache; a clickhouse binary.
PostgreSQL, for the staging area, is the machine's own, with a cluster in that folder; a machine
without it has a sandbox without that.

Examples:
  ebbgate sandbox                       run until Ctrl-C
  ebbgate sandbox start --detach        run in the background
  eval "$(ebbgate sandbox env)"         point pipelines at it
  ebbgate sandbox status --output json
  ebbgate sandbox fetch                 have what it needs in the cache
  ebbgate sandbox stop
  ebbgate sandbox reset --yes           delete its data, keep its keys`,
		Flags:  sandboxStartFlags(),
		Action: sandboxStart,
		Subcommands: []*cli.Command{
			{Name: "start", Usage: "Start it, until Ctrl-C or with --detach", Flags: sandboxStartFlags(), Action: sandboxStart},
			{Name: "fetch", Usage: "Fetch the embedded engine, GitHub's examples and Segment's SDK into the cache, and start nothing", Action: sandboxFetch},
			{Name: "stop", Usage: "Stop the one that runs in the folder", Flags: []cli.Flag{sandboxDirFlag()}, Action: sandboxStop},
			{Name: "status", Usage: "Tell what runs, and where", Flags: []cli.Flag{sandboxDirFlag(), formatFlag("text", "json")}, Action: sandboxStatus},
			{Name: "env", Usage: "Print export lines for a shell", Flags: []cli.Flag{sandboxDirFlag()}, Action: sandboxEnv},
			{Name: "reset", Usage: "Delete its data and logs, keep its keys", Flags: []cli.Flag{
				sandboxDirFlag(), &cli.BoolFlag{Name: "yes", Usage: "yes, delete"},
			}, Action: sandboxReset},
			{Name: "serve-broker", Hidden: true, Flags: sandboxServeFlags(), Action: func(c *cli.Context) error {
				return sandbox.ServeBroker(sandboxServeOptions(c))
			}},
			{Name: "serve-clickhouse", Hidden: true, Flags: sandboxServeFlags(), Action: func(c *cli.Context) error {
				return sandbox.ServeClickHouse(sandboxServeOptions(c))
			}},
			{Name: "serve-postgres", Hidden: true, Flags: sandboxServeFlags(), Action: func(c *cli.Context) error {
				return sandbox.ServePostgres(sandboxServeOptions(c))
			}},
		},
	}
}

func sandboxDirFlag() cli.Flag {
	return &cli.StringFlag{Name: "dir", Value: sandbox.DefaultDir, Usage: "folder of data, keys and logs"}
}

func sandboxDir(c *cli.Context) string { return setAt(c, "dir").String("dir") }

func sandboxStartFlags() []cli.Flag {
	return []cli.Flag{
		sandboxDirFlag(),
		&cli.IntFlag{Name: "broker-port", Value: sandbox.DefaultBrokerPort, Usage: "wanted port; a free one when it is in use"},
		&cli.IntFlag{Name: "clickhouse-port", Value: sandbox.DefaultClickHousePort, Usage: "wanted HTTP port; a free one when it is in use"},
		&cli.IntFlag{Name: "postgres-port", Value: sandbox.DefaultPostgresPort, Usage: "wanted port; a free one when it is in use"},
		&cli.StringFlag{Name: "clickhouse-dsn", EnvVars: []string{sandbox.EnvClickHouseDSN}, Usage: "use this server and start none"},
		&cli.BoolFlag{Name: "detach", Usage: "return once it answers, and leave it running"},
	}
}

func sandboxServeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "data", Required: true}, &cli.StringFlag{Name: "listen", Required: true},
		&cli.StringFlag{Name: "library"}, &cli.StringFlag{Name: "binary"},
	}
}

func sandboxServeOptions(c *cli.Context) sandbox.ServeOptions {
	return sandbox.ServeOptions{Data: c.String("data"), Listen: c.String("listen"), Library: c.String("library"), Binary: c.String("binary")}
}

func sandboxStart(c *cli.Context) error {
	ctx, cancel := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	opts := sandbox.Options{
		Dir: sandboxDir(c), BrokerPort: setAt(c, "broker-port").Int("broker-port"),
		ClickHousePort: setAt(c, "clickhouse-port").Int("clickhouse-port"), PostgresPort: setAt(c, "postgres-port").Int("postgres-port"),
		ClickHouseDSN: setAt(c, "clickhouse-dsn").String("clickhouse-dsn"), Messages: c.App.ErrWriter, Progress: fetchProgress(c.App.ErrWriter),
	}
	if setAt(c, "detach").Bool("detach") {
		state, err := sandbox.Detach(ctx, opts)
		if err != nil {
			return err
		}
		return printSandbox(c.App.Writer, state)
	}
	running, err := sandbox.Start(ctx, opts)
	if err != nil {
		return err
	}
	err = printSandbox(c.App.Writer, running.State())
	if err == nil {
		fmt.Fprintln(c.App.ErrWriter, "running until Ctrl-C")
		err = running.Wait(ctx)
	}
	return errors.Join(err, running.Stop(context.WithoutCancel(ctx)))
}

// sandboxFetch does ahead of time what a first start or demo would do: for images, and for machines that lose their network.
func sandboxFetch(c *cli.Context) error {
	path, err := sandbox.Library(c.Context, fetchProgress(c.App.ErrWriter))
	if err != nil {
		return err
	}
	cache, err := npm.CacheDir()
	if err != nil {
		return err
	}
	deliveries, err := generate.GitHub(c.Context, npm.Fetcher{CacheDir: cache})
	if err != nil {
		return err
	}
	for _, p := range npm.SegmentNode {
		if _, err := (npm.Fetcher{CacheDir: cache}).Fetch(c.Context, p); err != nil {
			return fmt.Errorf("fetching %s: %w", p, err)
		}
	}
	_, err = fmt.Fprintf(c.App.Writer, "engine      %s\nexamples    %d GitHub deliveries\nsdk         %s\n", path, len(deliveries), npm.SegmentNode[0])
	return err
}

func sandboxStop(c *cli.Context) error {
	if err := sandbox.StopOther(c.Context, sandboxDir(c)); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.App.Writer, "stopped; its data is kept")
	return err
}

func sandboxStatus(c *cli.Context) error {
	state, err := sandbox.Status(sandboxDir(c))
	if err != nil {
		return err
	}
	if c.String("output") != "json" {
		return printSandbox(c.App.Writer, state)
	}
	encoder := json.NewEncoder(c.App.Writer)
	encoder.SetIndent("", "  ")
	return encoder.Encode(state)
}

func sandboxEnv(c *cli.Context) error {
	state, err := sandbox.Status(sandboxDir(c))
	if err != nil {
		return err
	}
	for _, pair := range state.Endpoints.Environment() {
		name, value, _ := strings.Cut(pair, "=")
		if _, err := fmt.Fprintf(c.App.Writer, "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`)); err != nil {
			return err
		}
	}
	return nil
}

func sandboxReset(c *cli.Context) error {
	if !c.Bool("yes") {
		return errors.New("resetting the sandbox: this deletes all its events; say --yes to do it")
	}
	if err := sandbox.Reset(sandboxDir(c)); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.App.Writer, "deleted its data and logs; its keys are kept")
	return err
}

// printSandbox writes what runs and where, one thing a line.
func printSandbox(w io.Writer, state sandbox.State) error {
	lines := []string{
		"broker      " + state.Endpoints.Brokers,
		"clickhouse  " + state.Endpoints.ClickHouseDSN + " (" + state.Engine + ")",
		"keys        " + state.Endpoints.KeysFile,
	}
	if state.Endpoints.StagingDSN != "" {
		lines = append(lines, "staging     "+state.Endpoints.StagingDSN)
	}
	for _, p := range state.Processes {
		lines = append(lines, fmt.Sprintf("process     %s, pid %d, %d restarts, log %s", p.Name, p.PID, p.Restarts, p.Log))
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// fetchProgress tells of the fetch of the engine, which happens once: a line a stage, and on a terminal a bar.
func fetchProgress(w io.Writer) func(npm.Progress) {
	var bar *progressbar.ProgressBar
	stage := ""
	return func(p npm.Progress) {
		if p.Stage != stage {
			stage = p.Stage
			bar = nil
			if p.Total > 0 && isTerminal(w) {
				bar = progressbar.NewOptions64(p.Total, progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true),
					progressbar.OptionSetDescription(stage), progressbar.OptionClearOnFinish())
			} else {
				fmt.Fprintf(w, "ClickHouse engine, about 180 MB, once: %s\n", stage)
			}
		}
		if bar != nil {
			bar.Set64(p.Done) // drawing may fail, fetching goes on
		}
	}
}

// isTerminal reports whether somebody may be watching.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
