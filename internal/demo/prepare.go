package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
)

// prepare applies topics and schema with the commands a platform team uses, and makes secrets for the doors.
func (r *run) prepare(ctx context.Context) error {
	commands := [][2]string{{"topics", "apply"}, {"clickhouse", "apply"}, {"webhook", "secrets"}}
	if r.stages() {
		commands = append(commands, [2]string{"staging", "apply"})
	}
	for _, command := range commands {
		if err := r.command(ctx, command[0], command[1]); err != nil {
			return err
		}
	}
	return r.makeWriteKeys()
}

// command runs a command of this program on the workspace and the sandbox.
func (r *run) command(ctx context.Context, group, name string) error {
	r.tell("ebbgate %s %s", group, name)
	cmd := exec.CommandContext(ctx, r.Program, group, name, "--workspace", r.Workspace)
	cmd.Env = append(os.Environ(), r.endpoints.Environment()...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("running ebbgate %s %s: %w: %s", group, name, err, bytes.TrimSpace(out))
	}
	return nil
}
