package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// binary is the real program, built once for all tests of a run.
var binary struct {
	once sync.Once
	dir  string
	path string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if binary.dir != "" {
		os.RemoveAll(binary.dir)
	}
	os.Exit(code)
}

func ebbgate(t *testing.T) string {
	t.Helper()
	binary.once.Do(func() {
		if binary.dir, binary.err = os.MkdirTemp("", "ebbgate-e2e-"); binary.err != nil {
			return
		}
		binary.path = filepath.Join(binary.dir, "ebbgate")
		build := exec.Command("go", "build", "-o", binary.path, "./cmd/ebbgate")
		build.Dir = filepath.Join("..", "..")
		if out, err := build.CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("building ebbgate: %w: %s", err, out)
		}
	})
	require.NoError(t, binary.err)
	return binary.path
}

// outcome is how a command ended.
type outcome struct {
	code   int
	out    string // standard output
	errors string // standard error
}

// both is everything the command said.
func (o outcome) both() string { return o.out + o.errors }

// command is a command of the program in the house's folder and environment.
func (h *house) command(args ...string) *exec.Cmd {
	h.t.Helper()
	cmd := exec.Command(ebbgate(h.t), args...)
	cmd.Dir, cmd.Env = h.root, h.environment()
	dieWithParent(cmd)
	return cmd
}

// run runs a command of the program to its end.
func (h *house) run(args ...string) outcome {
	h.t.Helper()
	var out, errs bytes.Buffer
	cmd := h.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(h.t, cmd.Start())
	giveUp := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer giveUp.Stop()
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok {
		require.NoError(h.t, err)
	} else {
		require.True(h.t, exit.Exited(), "%v did not end by itself: %v\n%s%s", args, err, out.String(), errs.String())
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// must runs a command that has to succeed.
func (h *house) must(args ...string) string {
	h.t.Helper()
	o := h.run(args...)
	require.Zero(h.t, o.code, "%v: %s", args, o.both())
	return o.out
}

// process is a pipelines process that runs beside the test.
type process struct {
	h      *house
	cmd    *exec.Cmd
	path   string // its log
	exited chan struct{}
}

// start starts the program. It is stopped when the test ends, if it still runs.
func (h *house) start(args ...string) *process {
	h.t.Helper()
	h.started++
	p := &process{h: h, path: filepath.Join(h.logs, fmt.Sprintf("%02d-%s.log", h.started, args[0])), exited: make(chan struct{})}
	log, err := os.Create(p.path)
	require.NoError(h.t, err)
	defer log.Close()
	p.cmd = h.command(args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	require.NoError(h.t, p.cmd.Start())
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	h.t.Cleanup(p.stop)
	return p
}

// kill ends the process as a crash does.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

// stop asks the process to end, as an operator does.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.kill()
		p.h.t.Errorf("the pipelines did not stop within %s", patience)
	}
}

// ended waits for the process to end by itself and returns its exit code.
func (p *process) ended() int {
	p.h.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.h.t.Fatalf("the process still runs; it says:\n%s", p.log())
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) runs() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *process) log() string {
	text, err := os.ReadFile(p.path)
	require.NoError(p.h.t, err)
	return string(text)
}

// says waits until one line of the log holds all of the texts.
func (p *process) says(texts ...string) {
	p.h.t.Helper()
	p.h.until(func() bool {
		for line := range strings.Lines(p.log()) {
			if holdsAll(line, texts) {
				return true
			}
		}
		return false
	}, func() string { return fmt.Sprintf("no line with all of %q in:\n%s", texts, tail(p.log())) })
}

func holdsAll(line string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(line, text) {
			return false
		}
	}
	return true
}

func tail(text string) string { return text[max(0, len(text)-4000):] }
