//go:build !linux

package postgres

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// dieWithParent does nothing here: the server ends with the order to stop, not with its parent's death.
func dieWithParent(*exec.Cmd) {}

func unprivileged(string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() == 0 {
		return nil, errors.New("PostgreSQL refuses to run as root: run as another user")
	}
	return nil, nil
}
