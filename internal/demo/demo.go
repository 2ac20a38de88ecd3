// Package demo runs the shipped pipelines on the sandbox, end to end, and balances the books: every event that went in
// must come to exactly one end at every destination, and no canary may be where it must not be.
//
// A run can be repeated, and killed, in the same folder: what was published is not published again, so the books of the
// second run are those of the first.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/npm"
	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// ErrUnbalanced says that the run came to its end and the books do not balance, or a canary leaked.
var ErrUnbalanced = errors.New("the books do not balance")

// Options say what to run. Program is this binary, which runs the pipelines and the sandbox's processes.
type Options struct {
	Program   string
	Dir       string // the sandbox's folder
	Workspace string
	Events    int
	Seed      uint64
	Kill      bool // kill -9 the pipelines once, half way
	Keep      bool // leave everything running
	Live      bool // Messages is a terminal that somebody watches
	Out       io.Writer
	Messages  io.Writer // what happens meanwhile
	Progress  func(npm.Progress)
	Timeout   time.Duration // for all events to arrive
	// Endpoints are those of the workspace's webhook door, as they are under an environment.
	Endpoints func(environment []string) ([]Endpoint, error)
}

// Result is what came out of a run.
type Result struct {
	Books     *books.Books
	Endpoints sandbox.Endpoints
	Samples   []Sample
	Latency   Latency
	Answers   []Answer
	Pulled    []Pulled
	Evidence  Evidence
	Kept      bool // everything runs on
	Published int
	Canaries  int
	Searched  int // places

	dir, workspace, door string
}

// run is one run under way.
type run struct {
	Options
	ws        *workspace.Workspace
	ring      *keys.Ring
	endpoints sandbox.Endpoints
	pipelines *pipelines
	canaries  []books.Canary
	published int
	begun     time.Time
}

// Run does everything and stops what it started, unless Keep is set. It returns ErrUnbalanced with a result when the
// run was complete but the books are not.
func Run(ctx context.Context, opts Options) (result *Result, err error) {
	r := &run{Options: opts, begun: time.Now()}
	if r.ws, err = workspace.Load(opts.Workspace); err != nil {
		return nil, err
	}
	stop, err := r.sandbox(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if !r.Keep || result == nil {
			err = errors.Join(err, r.pipelines.stop(), stop(context.WithoutCancel(ctx)))
		}
	}()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if err := r.flow(ctx); err != nil {
		return nil, err
	}
	if result, err = r.account(ctx); result != nil {
		result.Kept, result.dir, result.workspace, result.door = r.Keep, r.Dir, r.Workspace, r.pipelines.doors.webhooks
	}
	return result, err
}

// sandbox starts the parts, or uses those that run in the folder already, in which case stop leaves them alone.
func (r *run) sandbox(ctx context.Context) (stop func(context.Context) error, err error) {
	r.tell("starting a broker, ClickHouse and PostgreSQL in %s", r.Dir)
	state, err := sandbox.Detach(ctx, sandbox.Options{
		Dir: r.Dir, Messages: r.Messages, Progress: r.Progress, Command: []string{r.Program, "sandbox"},
	})
	stop = func(ctx context.Context) error { return sandbox.StopOther(ctx, r.Dir) }
	if errors.Is(err, sandbox.ErrRunning) {
		state, err = sandbox.Status(r.Dir)
		stop = func(context.Context) error { return nil }
	}
	if err != nil {
		return nil, err
	}
	r.endpoints = state.Endpoints
	r.ring, err = keys.Load(r.endpoints.KeysFile)
	if err != nil {
		return nil, errors.Join(err, stop(ctx))
	}
	return stop, nil
}

// flow publishes while the pipelines run, and waits until all of it has arrived.
func (r *run) flow(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	kept, err := stopKept(r.Dir)
	if err != nil {
		return err
	}
	r.Keep = r.Keep || kept // what ran before a run runs after it
	if r.pipelines, err = startPipelines(r.Options, r.endpoints); err != nil {
		return err
	}
	r.tell("pipelines run, their log is %s", r.pipelines.log)
	if err := r.publish(ctx); err != nil {
		return err
	}
	return r.arrive(ctx)
}

func (r *run) tell(format string, args ...any) {
	fmt.Fprintf(r.Messages, "demo: "+format+"\n", args...)
}

// Stop ends what a run with Keep left running in the folder.
func Stop(ctx context.Context, dir string) error {
	_, err := stopKept(dir)
	if stopErr := sandbox.StopOther(ctx, dir); !errors.Is(stopErr, sandbox.ErrNotRunning) {
		err = errors.Join(err, stopErr)
	}
	return err
}

func logFiles(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "logs", "*.log"))
	if err != nil {
		return nil, fmt.Errorf("listing the logs: %w", err)
	}
	present := files[:0]
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			present = append(present, file)
		}
	}
	return present, nil
}
