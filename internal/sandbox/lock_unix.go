//go:build unix

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// takeLock takes the sandbox's lock, which the system frees when this process
// ends, however it ends. It returns ErrRunning when another process has it.
func takeLock(path string) (release func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the sandbox: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		file.Close()
		return nil, ErrRunning
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("locking the sandbox: %w", err)
	}
	return func() { file.Close() }, nil
}

// lockHeld reports whether a process holds the lock.
func lockHeld(path string, _ State) (bool, error) {
	release, err := takeLock(path)
	if errors.Is(err, ErrRunning) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	release()
	return false, nil
}
