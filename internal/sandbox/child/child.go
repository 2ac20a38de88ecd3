// Package child runs a part of the sandbox as a process of its own that
// cannot outlive its parent: the parent holds a pipe to the child's standard
// input, and the child ends when the pipe does, however the parent died.
//
// A child says "ready <address>" on its standard output once it answers.
package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// readyWord begins the line by which a child reports its address.
const readyWord = "ready "

// stopGrace is how long a child may take to end before it is killed.
const stopGrace = 15 * time.Second

// Spec says what to start.
type Spec struct {
	Name    string   // for messages: "broker", "ClickHouse"
	Command []string // program and arguments
	Env     []string // added to the parent's environment
	Log     string   // file that takes standard error; appended to
}

// Process is a running child. Its methods are for one goroutine, except
// Exited and Kill, which may be used from any.
type Process struct {
	spec    Spec
	cmd     *exec.Cmd
	stdin   io.Closer
	address string
	exited  chan struct{}
	err     error
}

// Start starts a child and waits until it is ready. When ctx ends first, or
// the child ends first, the child is gone when Start returns; the error holds
// the last line of its log.
func Start(ctx context.Context, spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", spec.Name, err)
	}
	defer log.Close()
	p := &Process{spec: spec, exited: make(chan struct{})}
	p.cmd = exec.Command(spec.Command[0], spec.Command[1:]...)
	p.cmd.Env = append(os.Environ(), spec.Env...)
	p.cmd.Stderr = log
	ownGroup(p.cmd)
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	ready := make(chan string, 1)
	go p.watch(stdout, ready)
	select {
	case p.address = <-ready:
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("starting %s: it ended at once: %s", spec.Name, lastLine(spec.Log, p.err))
	case <-ctx.Done():
		p.Kill()
		<-p.exited
		return nil, fmt.Errorf("starting %s: %w", spec.Name, ctx.Err())
	}
}

// watch reads the ready line and then waits for the end of the process.
func (p *Process) watch(stdout io.Reader, ready chan<- string) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), readyWord); ok {
			ready <- address
			break
		}
	}
	io.Copy(io.Discard, stdout)
	p.err = p.cmd.Wait()
	close(p.exited)
}

// Address is what the child reported: host:port.
func (p *Process) Address() string { return p.address }

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed when the process has ended, for whatever reason.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Kill ends the process at once, as a crash would (SIGKILL), and waits.
func (p *Process) Kill() {
	p.cmd.Process.Kill() // fails only when it has ended already
	<-p.exited
}

// Stop asks the process to end and waits; one that does not is killed.
func (p *Process) Stop(ctx context.Context) error {
	p.stdin.Close() // a process that has ended has closed it as well
	timer := time.NewTimer(stopGrace)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	p.Kill()
	return fmt.Errorf("stopping %s: it did not end in time and was killed", p.spec.Name)
}

// Run is a child's main function: it calls serve with a context that ends
// when the parent is gone or asks to stop, and reports the address serve
// gives to ready.
func Run(serve func(ctx context.Context, ready func(address string)) error) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	go func() {
		io.Copy(io.Discard, os.Stdin) // returns when the last writer, the parent, is gone
		cancel()
	}()
	err := serve(ctx, func(address string) { fmt.Fprintln(os.Stdout, readyWord+address) })
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// lastLine is the end of a log, which says why a process ended.
func lastLine(path string, fallback error) string {
	text, err := os.ReadFile(path)
	if err == nil {
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if line := lines[len(lines)-1]; line != "" {
			return line
		}
	}
	return fmt.Sprint(fallback)
}
