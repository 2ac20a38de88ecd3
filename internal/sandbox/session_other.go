//go:build !unix

package sandbox

import "os/exec"

func ownSession(*exec.Cmd) {}
