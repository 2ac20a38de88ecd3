package demo

import (
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

	"github.com/ebbgate/ebbgate/internal/sandbox"
)

// stopGrace is longer than the pipelines' own shutdown_timeout.
const stopGrace = 45 * time.Second

// pipelines is the process that runs every stream of the workspace.
type pipelines struct {
	opts      Options
	endpoints sandbox.Endpoints
	doors     doors
	log       string
	begun     int64 // where in the log this run begins
	cmd       *exec.Cmd
	exited    chan error
}

func startPipelines(opts Options, endpoints sandbox.Endpoints) (*pipelines, error) {
	p := &pipelines{opts: opts, endpoints: endpoints, log: filepath.Join(opts.Dir, "logs", "pipelines.log")}
	if info, err := os.Stat(p.log); err == nil {
		p.begun = info.Size()
	}
	var err error
	if p.doors, err = findDoors(opts.Workspace); err != nil {
		return nil, err
	}
	return p, p.start()
}

// environment is what the pipelines find their parts by.
func (p *pipelines) environment() []string {
	return append(append(p.endpoints.Environment(), "EBBGATE_HTTP_ADDRESS=127.0.0.1:0"), p.doors.environment()...)
}

func (p *pipelines) start() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the pipelines' log: %w", err)
	}
	defer log.Close()
	args := []string{"streams", "-o", filepath.Join(p.opts.Workspace, "service.yaml"), filepath.Join(p.opts.Workspace, "streams")}
	args = append(args, p.doors.files(p.opts.Workspace)...)
	if file := stagingStream(p.opts.Workspace, p.endpoints); file != "" {
		args = append(args, file)
	}
	p.cmd = exec.Command(p.opts.Program, args...)
	p.cmd.Env = append(os.Environ(), p.environment()...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to handle, in order
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting the pipelines: %w", err)
	}
	p.exited = make(chan error, 1)
	go func(cmd *exec.Cmd, exited chan error) { exited <- cmd.Wait() }(p.cmd, p.exited)
	return os.WriteFile(pidFile(p.opts.Dir), []byte(strconv.Itoa(p.cmd.Process.Pid)), 0o600)
}

// failed returns why the process ended by itself, or nil while it runs.
func (p *pipelines) failed() error {
	select {
	case err := <-p.exited:
		p.exited <- err
		return fmt.Errorf("the pipelines ended (%v); the end of %s says:\n%s", err, p.log, p.tail(8))
	default:
		return nil
	}
}

// kill ends the process without a chance to finish anything, and starts another.
func (p *pipelines) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("killing the pipelines: %w", err)
	}
	<-p.exited
	return p.start()
}

func (p *pipelines) stop() error {
	if p == nil || p.cmd.Process == nil {
		return nil
	}
	defer os.Remove(pidFile(p.opts.Dir))
	if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopGrace):
		return errors.Join(fmt.Errorf("the pipelines did not stop within %s", stopGrace), p.cmd.Process.Kill())
	}
}

func pidFile(dir string) string { return filepath.Join(dir, "pipelines.pid") }

// stopKept ends pipelines that an earlier run left behind. The process is recognised by its command line: its number may
// belong to somebody else by now. Were there any, it returns true.
func stopKept(dir string) (found bool, err error) {
	text, err := os.ReadFile(pidFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("finding the pipelines' process: %w", err)
	}
	defer os.Remove(pidFile(dir))
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !isPipelines(pid) {
		return false, nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return true, fmt.Errorf("stopping the pipelines' process %d: %w", pid, err)
	}
	for deadline := time.Now().Add(stopGrace); isPipelines(pid); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return true, fmt.Errorf("the pipelines' process %d did not stop within %s", pid, stopGrace)
		}
	}
	return true, nil
}

func isPipelines(pid int) bool {
	out, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), " streams -o ") && !strings.Contains(string(out), "<defunct>")
}

// tail is the end of what this run logged, without the lines that only say that something is well.
func (p *pipelines) tail(lines int) string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	text = text[min(p.begun, int64(len(text))):]
	all := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(text)), "\n"), func(line string) bool {
		return strings.Contains(line, " level=info ")
	})
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
