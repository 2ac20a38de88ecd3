package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrNotRunning says that no sandbox runs in the folder.
var ErrNotRunning = errors.New("no sandbox is running here: start one with `ebbgate sandbox start`")

// ErrRunning says that a sandbox runs in the folder already.
var ErrRunning = errors.New("a sandbox is running here already: see `ebbgate sandbox status`, or end it with `ebbgate sandbox stop`")

// Endpoints are what a pipeline needs to use the sandbox.
type Endpoints struct {
	Brokers       string `json:"brokers"` // host:port
	ClickHouseDSN string `json:"clickhouse_dsn"`
	KeysFile      string `json:"keys_file"`
	SecretsDir    string `json:"secrets_dir"` // of doors; made by those who need some
	// The staging area, for pipelines and for who makes it; empty where the machine has no PostgreSQL.
	StagingDSN      string `json:"staging_dsn,omitempty"`
	StagingAdminDSN string `json:"staging_admin_dsn,omitempty"`
}

// Environment returns the endpoints as NAME=value, for a child's environment.
func (e Endpoints) Environment() []string {
	env := []string{
		EnvBrokers + "=" + e.Brokers, EnvClickHouseDSN + "=" + e.ClickHouseDSN, EnvKeysFile + "=" + e.KeysFile, EnvSecrets + "=" + e.SecretsDir,
	}
	if e.StagingDSN != "" {
		env = append(env, EnvStaging+"="+e.StagingDSN, EnvStagingAdmin+"="+e.StagingAdminDSN)
	}
	return env
}

// ProcessState is one running child.
type ProcessState struct {
	Name     string `json:"name"`
	PID      int    `json:"pid"`
	Address  string `json:"address"`
	Log      string `json:"log"`
	Restarts int    `json:"restarts"`
}

// State is the content of sandbox.json: what runs, and where.
type State struct {
	PID       int            `json:"pid"` // of the process that started the children
	Started   time.Time      `json:"started"`
	Engine    string         `json:"engine"` // "embedded", "binary" or "external"
	Endpoints Endpoints      `json:"endpoints"`
	Processes []ProcessState `json:"processes"`
}

// Status returns the state of the sandbox in dir. A state that a killed
// sandbox left behind is ErrNotRunning.
func Status(dir string) (State, error) {
	opts, err := Options{Dir: dir}.complete()
	if err != nil {
		return State{}, err
	}
	text, err := os.ReadFile(stateFile(opts.Dir))
	if errors.Is(err, os.ErrNotExist) {
		return State{}, ErrNotRunning
	}
	if err != nil {
		return State{}, fmt.Errorf("reading the sandbox's state: %w", err)
	}
	var state State
	if err := json.Unmarshal(text, &state); err != nil {
		return State{}, fmt.Errorf("reading the sandbox's state %s: %w", stateFile(opts.Dir), err)
	}
	held, err := lockHeld(lockFile(opts.Dir), state)
	if err != nil {
		return State{}, err
	}
	if !held {
		return State{}, ErrNotRunning
	}
	return state, nil
}

// write replaces sandbox.json as a whole, so that a reader never sees a part.
func (s State) write(dir string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the sandbox's state: %w", err)
	}
	tmp, err := os.CreateTemp(dir, ".sandbox-*")
	if err != nil {
		return fmt.Errorf("writing the sandbox's state: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(append(text, '\n'))
	if err := errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("writing the sandbox's state: %w", err)
	}
	if err := os.Rename(tmp.Name(), stateFile(dir)); err != nil {
		return fmt.Errorf("writing the sandbox's state: %w", err)
	}
	return nil
}

// Reset deletes the data and logs of a sandbox that is not running. Its keys
// stay: what was sealed elsewhere with them would be unreadable.
func Reset(dir string) error {
	opts, err := Options{Dir: dir}.complete()
	if err != nil {
		return err
	}
	if _, err := Status(opts.Dir); !errors.Is(err, ErrNotRunning) {
		return errors.Join(ErrRunning, err)
	}
	for _, name := range []string{"data", "logs", "sandbox.json"} {
		if err := os.RemoveAll(filepath.Join(opts.Dir, name)); err != nil {
			return fmt.Errorf("deleting the sandbox's data: %w", err)
		}
	}
	return nil
}
