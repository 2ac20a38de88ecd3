package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
)

// prepare applies topics and schema with the commands a platform team uses.
func (r *run) prepare(ctx context.Context) error {
	for _, group := range []string{"topics", "clickhouse"} {
		if err := r.command(ctx, group, "apply"); err != nil {
			return err
		}
	}
	return nil
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
