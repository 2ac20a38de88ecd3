package clickhouse

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends the server even when this process is killed.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
