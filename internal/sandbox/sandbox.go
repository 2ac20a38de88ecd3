package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// The names of the children, in State and in Kill.
const (
	Broker     = "broker"
	ClickHouse = "clickhouse"
	Postgres   = "postgres"
)

// Sandbox is a broker, a ClickHouse and, where the machine has one, a PostgreSQL that this process started. A child
// that dies is started again on its data and at its address.
type Sandbox struct {
	opts     Options
	release  func()
	life     context.Context // ends with Stop: no child is started afterwards
	end      context.CancelFunc
	mu       sync.Mutex // guards state
	state    State
	children []*supervised
	failed   chan error
}

// Start starts a sandbox and returns when all parts answer. It returns
// ErrRunning when one runs in the same folder, and leaves nothing running when
// it fails. The children end with this process, however it ends.
func Start(ctx context.Context, opts Options) (*Sandbox, error) {
	opts, err := opts.complete()
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{opts.Dir, filepath.Join(opts.Dir, "logs"), filepath.Join(opts.Dir, "data")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the sandbox's folder: %w", err)
		}
	}
	release, err := takeLock(lockFile(opts.Dir))
	if err != nil {
		return nil, err
	}
	s := &Sandbox{opts: opts, release: release, failed: make(chan error, 3)}
	s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Sandbox) start(ctx context.Context) error {
	if err := makeKeys(keysFile(s.opts.Dir)); err != nil {
		return err
	}
	found, err := findEngine(ctx, s.opts)
	if err != nil {
		return err
	}
	s.state = State{PID: os.Getpid(), Started: time.Now().UTC().Truncate(time.Second), Engine: found.kind}
	s.state.Endpoints = Endpoints{KeysFile: keysFile(s.opts.Dir), SecretsDir: secretsDir(s.opts.Dir), ClickHouseDSN: s.opts.ClickHouseDSN}
	broker, err := s.launch(ctx, Broker, s.opts.BrokerPort, nil, askBroker)
	if err != nil {
		return err
	}
	s.state.Endpoints.Brokers = broker.process.Address()
	if found.kind != EngineExternal {
		server, err := s.launch(ctx, ClickHouse, s.opts.ClickHousePort, found.flags, askClickHouse)
		if err != nil {
			return err
		}
		s.state.Endpoints.ClickHouseDSN = ownDSN(server.process.Address())
	}
	if err := s.startPostgres(ctx); err != nil {
		return err
	}
	for _, child := range s.children {
		child.ended = make(chan struct{})
		go s.supervise(child)
	}
	return s.writeState()
}

// makeKeys makes the workspace's master key when there is none.
func makeKeys(path string) error {
	_, err := os.Stat(path)
	if err == nil {
		return nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("looking for the keys: %w", err)
	}
	return keys.Init(path)
}

// Endpoints are what a pipeline needs to use this sandbox.
func (s *Sandbox) Endpoints() Endpoints {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Endpoints
}

// State is a copy of what sandbox.json holds.
func (s *Sandbox) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current()
}

// current is State for a holder of the lock.
func (s *Sandbox) current() State {
	state := s.state
	state.Processes = make([]ProcessState, 0, len(s.children))
	for _, child := range s.children {
		state.Processes = append(state.Processes, child.state)
	}
	return state
}

// writeState saves the state. Without the lock on its mutex two children that
// restart at once would save each other's past.
func (s *Sandbox) writeState() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current().write(s.opts.Dir)
}

// Wait returns when ctx ends (nil) or when a child cannot be kept running.
func (s *Sandbox) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}

// Kill ends the named child as a crash would; it is then started again.
func (s *Sandbox) Kill(name string) error {
	for _, child := range s.children {
		if child.state.Name == name {
			s.mu.Lock()
			process := child.process
			s.mu.Unlock()
			process.Kill()
			return nil
		}
	}
	return fmt.Errorf("killing %s: this sandbox has no such child", name)
}

// Stop ends the children in order, keeps their data and gives the folder
// free. The sandbox cannot be used afterwards.
func (s *Sandbox) Stop(ctx context.Context) error {
	s.end()
	var failed []error
	for _, child := range s.children {
		failed = append(failed, child.stop(ctx))
	}
	if err := os.Remove(stateFile(s.opts.Dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
		failed = append(failed, fmt.Errorf("removing the sandbox's state: %w", err))
	}
	s.release()
	return errors.Join(failed...)
}
