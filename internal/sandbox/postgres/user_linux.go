package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// dieWithParent ends the server when its parent dies, however it dies.
func dieWithParent(cmd *exec.Cmd) {
	attr := syscall.SysProcAttr{Setpgid: true}
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
		attr.Setpgid = true
	}
	attr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr = &attr
}

// overrideAccess is CAP_DAC_OVERRIDE.
const overrideAccess = 1

// unprivileged says as whom PostgreSQL runs: as who asks, or, because it refuses root, as the user its package made. That
// user may have to pass folders that are root's alone on the way to its data, for which one capability is kept.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	var who *user.User
	var err error
	for _, name := range []string{"postgres", "nobody"} {
		if who, err = user.Lookup(name); err == nil {
			break
		}
	}
	if err != nil {
		return nil, errors.New("PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody: run as another user")
	}
	uid, _ := strconv.Atoi(who.Uid)
	gid, _ := strconv.Atoi(who.Gid)
	for _, path := range []string{dir, filepath.Join(dir, "cluster")} {
		if err := os.Chown(path, uid, gid); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("giving %s the folder of PostgreSQL: %w", who.Username, err)
		}
	}
	return &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		AmbientCaps: []uintptr{overrideAccess},
	}, nil
}
