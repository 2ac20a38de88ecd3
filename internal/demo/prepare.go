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
	for _, args := range [][]string{{"topics", "apply"}, {"clickhouse", "apply"}} {
		args = append(args, "--workspace", r.Workspace)
		r.tell("ebbgate %s %s", args[0], args[1])
		cmd := exec.CommandContext(ctx, r.Program, args...)
		cmd.Env = append(os.Environ(), r.endpoints.Environment()...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("running ebbgate %s %s: %w: %s", args[0], args[1], err, bytes.TrimSpace(out))
		}
	}
	return nil
}
