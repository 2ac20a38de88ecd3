package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// poll is how often another process's progress is looked at.
const poll = 100 * time.Millisecond

// stopTimeout bounds how long a sandbox may take to end.
const stopTimeout = time.Minute

// Detach starts a sandbox that outlives this process and returns its state
// once it answers. Its messages go to logs/sandbox.log.
func Detach(ctx context.Context, opts Options) (State, error) {
	opts, err := opts.complete()
	if err != nil {
		return State{}, err
	}
	if _, err := Status(opts.Dir); !errors.Is(err, ErrNotRunning) {
		return State{}, errors.Join(ErrRunning, err)
	}
	// The fetch of the engine happens here, where its progress can be seen.
	if _, err := findEngine(ctx, opts); err != nil {
		return State{}, err
	}
	path := logFile(opts.Dir, "sandbox")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return State{}, fmt.Errorf("making the sandbox's folder: %w", err)
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return State{}, fmt.Errorf("opening the sandbox's log: %w", err)
	}
	defer log.Close()
	args := slices.Concat(opts.Command[1:], []string{
		"start", "--dir", opts.Dir, "--clickhouse-dsn", opts.ClickHouseDSN,
		"--broker-port", strconv.Itoa(opts.BrokerPort), "--clickhouse-port", strconv.Itoa(opts.ClickHousePort),
		"--postgres-port", strconv.Itoa(opts.PostgresPort),
	})
	cmd := exec.Command(opts.Command[0], args...)
	cmd.Stdout, cmd.Stderr = log, log
	ownSession(cmd)
	if err := cmd.Start(); err != nil {
		return State{}, fmt.Errorf("starting the sandbox: %w", err)
	}
	return awaitStart(ctx, opts.Dir, path, cmd)
}

// awaitStart waits for the state of a sandbox that was just started.
func awaitStart(ctx context.Context, dir, log string, cmd *exec.Cmd) (State, error) {
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
			<-exited
			return State{}, fmt.Errorf("starting the sandbox: %w", ctx.Err())
		case err := <-exited:
			return State{}, fmt.Errorf("starting the sandbox: %s", firstText(lastLine(log), fmt.Sprint(err)))
		case <-ticker.C:
		}
		state, err := Status(dir)
		if err == nil && state.PID == cmd.Process.Pid {
			return state, nil
		}
	}
}

// StopOther ends the sandbox another process runs in dir and waits for its
// end. It returns ErrNotRunning when there is none.
func StopOther(ctx context.Context, dir string) error {
	state, err := Status(dir)
	if err != nil {
		return err
	}
	process, err := os.FindProcess(state.PID)
	if err != nil {
		return fmt.Errorf("finding the sandbox's process %d: %w", state.PID, err)
	}
	if err := process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping the sandbox's process %d: %w", state.PID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		if _, err := Status(dir); errors.Is(err, ErrNotRunning) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stopping the sandbox's process %d: %w", state.PID, ctx.Err())
		case <-ticker.C:
		}
	}
}

// lastLine is the end of a log, which says why a process ended.
func lastLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "ebbgate: ")
}

func firstText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
