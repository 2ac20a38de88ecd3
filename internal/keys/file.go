package keys

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// EnvironmentVariable names the variable that holds the path of the master file.
	EnvironmentVariable = "EBBGATE_KEYS_FILE"
	// DefaultPath is where `ebbgate keys init` writes when neither a flag nor the variable says otherwise.
	DefaultPath = ".ebbgate/keys/master.key"

	linePrefix = "ebbgate-master-1"
	fileMode   = 0o600
	maxFile    = 64 << 10
	maxMasters = 64
)

// Refusals of Load. A process that meets one must not start.
var (
	// ErrAbsent: no master file is named, or the named file does not exist.
	ErrAbsent = errors.New("the master key file is absent")
	// ErrUnsafe: others than the owner can read or write the file, or it is no regular file.
	ErrUnsafe = errors.New("the master key file is not private")
	// ErrMalformed: the file is not a list of masters. The error names the line, never what it holds.
	ErrMalformed = errors.New("the master key file is malformed")
)

// FromEnvironment loads the file that EBBGATE_KEYS_FILE names.
func FromEnvironment() (*Ring, error) {
	path := os.Getenv(EnvironmentVariable)
	if path == "" {
		return nil, fmt.Errorf("loading keys: %w: %s is not set; run `ebbgate keys init --path FILE` once and set %s=FILE",
			ErrAbsent, EnvironmentVariable, EnvironmentVariable)
	}
	return Load(path)
}

// Load reads a master file. It refuses a file that is absent (ErrAbsent), readable or writable by group or world
// (ErrUnsafe), or empty, short or otherwise malformed (ErrMalformed); the error says what to do next.
func Load(path string) (*Ring, error) {
	data, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("loading keys: %w", err)
	}
	masters, err := parse(data)
	clear(data)
	if err != nil {
		return nil, fmt.Errorf("loading keys: %s: %w; restore the file from your secret store, or for a new workspace remove it and run `ebbgate keys init --path %s`", path, err, path)
	}
	return newRing(masters), nil
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist; run `ebbgate keys init --path %s`, or correct %s", ErrAbsent, path, path, EnvironmentVariable)
	}
	if err != nil {
		return nil, fmt.Errorf("examining the master key file: %w", err)
	}
	if !info.Mode().IsRegular() { // asked before opening: opening a pipe would block
		return nil, fmt.Errorf("%w: %s is not a regular file; name the file that `ebbgate keys init` wrote", ErrUnsafe, path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the master key file: %w", err)
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return nil, fmt.Errorf("examining the master key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %04o; run `chmod 600 %s` and consider the keys known to every user of this machine", ErrUnsafe, path, info.Mode().Perm(), path)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the master key file: %w", err)
	}
	return data, nil
}

// parse never puts what it read into an error: a misplaced secret must not reach a log.
func parse(data []byte) ([]master, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrMalformed)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(data) > maxFile || len(lines) > maxMasters {
		return nil, fmt.Errorf("%w: it holds more than %d lines or %d bytes", ErrMalformed, maxMasters, maxFile)
	}
	masters := make([]master, 0, len(lines))
	for i, line := range lines {
		m, reason := parseLine(line)
		if reason == "" {
			reason = repeated(masters, m)
		}
		if reason != "" {
			return nil, fmt.Errorf("%w: line %d: %s", ErrMalformed, i+1, reason)
		}
		masters = append(masters, m)
	}
	return masters, nil
}

func parseLine(line string) (m master, reason string) {
	parts := strings.Split(line, ":")
	if len(parts) != 3 || parts[0] != linePrefix {
		return master{}, "expected " + linePrefix + ":<key id>:<base64 of 32 bytes>"
	}
	if !validID(parts[1]) {
		return master{}, "the key id must be 4 to 16 lower-case letters and digits"
	}
	secret, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(secret) != Size || len(parts[2]) != base64.StdEncoding.EncodedLen(Size) { // the decoder skips \r
		return master{}, "the key must be the base64 of exactly 32 bytes"
	}
	if bytes.Count(secret, secret[:1]) == Size {
		return master{}, "the key is one byte repeated, not a secret"
	}
	m.id = parts[1]
	copy(m.secret[:], secret)
	clear(secret)
	return m, ""
}

func repeated(masters []master, m master) string {
	for i := range masters {
		if masters[i].id == m.id {
			return fmt.Sprintf("the key id repeats that of line %d", i+1)
		}
		if masters[i].secret == m.secret {
			return fmt.Sprintf("the key repeats that of line %d", i+1)
		}
	}
	return ""
}

func validID(id string) bool {
	if len(id) < 4 || len(id) > 16 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
