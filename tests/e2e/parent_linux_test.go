package e2e

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends a child even when the test binary is killed.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
