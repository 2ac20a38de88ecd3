//go:build unix

package sandbox

import (
	"os/exec"
	"syscall"
)

// ownSession frees a process from the terminal it was started at.
func ownSession(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}
