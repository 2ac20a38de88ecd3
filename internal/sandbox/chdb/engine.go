package chdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"unsafe"
)

// Engine is a running ClickHouse engine over one data directory.
type Engine struct {
	lib  *Library
	args []string
	root unsafe.Pointer
}

// Open starts the engine on dataDir, which is created when missing. A process
// can hold one engine only. The directory must belong to no other process:
// the engine locks it and a second one is refused.
func Open(lib *Library, dataDir string) (*Engine, error) {
	path, err := filepath.Abs(dataDir)
	if err != nil {
		return nil, fmt.Errorf("resolving the data directory %s: %w", dataDir, err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("creating the data directory: %w", err)
	}
	engine := &Engine{lib: lib, args: []string{"clickhouse", "--path=" + path}}
	engine.root, err = engine.connect()
	if err != nil {
		return nil, fmt.Errorf("starting the ClickHouse engine on %s: %w", path, err)
	}
	return engine, nil
}

// Close gives the engine's data directory up. Every Session must have been
// closed before. Threads of the engine may run on: the process is to end.
func (e *Engine) Close() {
	if e.root != nil {
		e.lib.closeConn(e.root)
		e.root = nil
	}
}

// Session opens a new client of the engine in the database `default`.
func (e *Engine) Session() (*Session, error) {
	conn, err := e.connect()
	if err != nil {
		return nil, fmt.Errorf("opening a session: %w", err)
	}
	return &Session{lib: e.lib, conn: conn}, nil
}

func (e *Engine) connect() (unsafe.Pointer, error) {
	storage := make([][]byte, len(e.args))
	argv := make([]unsafe.Pointer, len(e.args)+1)
	var pinner runtime.Pinner
	defer pinner.Unpin()
	for i, arg := range e.args {
		storage[i] = append([]byte(arg), 0)
		pinner.Pin(&storage[i][0])
		argv[i] = unsafe.Pointer(&storage[i][0])
	}
	pinner.Pin(&argv[0])
	conn := e.lib.connect(int32(len(e.args)), unsafe.Pointer(&argv[0]))
	if conn == nil {
		return nil, errors.New("the engine refused the connection: is the directory writable and used by no other process?")
	}
	return conn, nil
}
