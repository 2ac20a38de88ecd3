package sandbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ebbgate/ebbgate/internal/sandbox/child"
)

// A child that ends this soon after its start, this many times in a row, is
// given up.
const (
	soon        = 2 * time.Second
	maxRestarts = 5
)

// supervised is a child and how to start it again.
type supervised struct {
	spec    child.Spec
	command []string
	ask     func(ctx context.Context, address string) error
	process *child.Process // guarded by the sandbox's mutex once supervised
	state   ProcessState   // likewise
	ended   chan struct{}  // closed when supervise has returned; nil before
}

// launch starts a child and waits for its first right answer.
func (s *Sandbox) launch(ctx context.Context, name string, port int, flags []string, ask func(context.Context, string) error) (*supervised, error) {
	c := &supervised{
		command: append(slices.Clone(s.opts.Command), append([]string{"serve-" + name, "--data", dataDir(s.opts.Dir, name)}, flags...)...),
		ask:     ask,
		state:   ProcessState{Name: name, Log: logFile(s.opts.Dir, name)},
	}
	c.spec = child.Spec{Name: name, Log: c.state.Log, Env: []string{"TZ=UTC"}}
	process, err := c.start(ctx, s.opts.listen(name, port))
	if err != nil {
		return nil, err
	}
	c.process, c.state.PID, c.state.Address = process, process.PID(), process.Address()
	s.children = append(s.children, c)
	return c, nil
}

func (c *supervised) start(ctx context.Context, listen string) (*child.Process, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	spec := c.spec
	spec.Command = append(slices.Clone(c.command), "--listen", listen)
	process, err := child.Start(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("%w (log: %s)", err, c.spec.Log)
	}
	if err := c.ask(ctx, process.Address()); err != nil {
		process.Kill()
		return nil, fmt.Errorf("starting %s: %w (log: %s)", c.spec.Name, err, c.spec.Log)
	}
	return process, nil
}

// supervise starts the child again whenever it ends without being asked to.
func (s *Sandbox) supervise(c *supervised) {
	defer close(c.ended)
	quick := 0
	for {
		started := time.Now()
		select {
		case <-s.life.Done():
			return
		case <-c.process.Exited():
		}
		if s.life.Err() != nil {
			return
		}
		if quick++; time.Since(started) > soon {
			quick = 1
		}
		fmt.Fprintf(s.opts.Messages, "%s ended and is started again (log: %s)\n", c.spec.Name, c.spec.Log)
		if err := s.restart(c, quick); err != nil && s.life.Err() == nil {
			s.failed <- err
			return
		}
	}
}

func (s *Sandbox) restart(c *supervised, quick int) error {
	if quick > maxRestarts {
		return fmt.Errorf("keeping %s running: it ended %d times at once (log: %s)", c.spec.Name, quick, c.spec.Log)
	}
	process, err := c.start(s.life, c.state.Address)
	if err != nil {
		return err
	}
	s.mu.Lock()
	c.process, c.state.PID = process, process.PID()
	c.state.Restarts++
	s.mu.Unlock()
	return s.writeState()
}

// stop ends the child, once nobody starts it again.
func (c *supervised) stop(ctx context.Context) error {
	if c.ended != nil {
		<-c.ended
	}
	return c.process.Stop(ctx)
}
