package npm

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// clientGrace is how long a cancelled client may take to end before it is killed with its pipes.
const clientGrace = 5 * time.Second

// pack has the client write the package's tarball into dir and returns its path.
func (f Fetcher) pack(ctx context.Context, p Package, dir string) (string, error) {
	f.report("fetch", 0, 0)
	// Scripts are off: a package that is only unpacked has no business running code.
	_, err := f.run(ctx, dir, "pack", "--silent", "--ignore-scripts", "--pack-destination", dir, p.String())
	if err != nil {
		return "", fmt.Errorf("fetching %s: %w", p, err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("fetching %s: the npm client wrote %d tarballs instead of one", p, len(found))
	}
	return found[0], nil
}

// Integrity asks the client for the digest the registry names for a package. It is for platforms whose digest is
// not pinned in code: it protects from damage in transit, not from a registry that lies.
func (f Fetcher) Integrity(ctx context.Context, name, version string) (string, error) {
	if !nameForm.MatchString(name) || !versionForm.MatchString(version) {
		return "", fmt.Errorf("asking for the integrity of %q: not an exact package", name+"@"+version)
	}
	out, err := f.run(ctx, "", "view", "--silent", name+"@"+version, "dist.integrity")
	if err != nil {
		return "", fmt.Errorf("asking for the integrity of %s@%s: %w", name, version, err)
	}
	text := strings.Trim(strings.TrimSpace(out), `"'`)
	if _, err := parseIntegrity(text); err != nil {
		return "", fmt.Errorf("asking for the integrity of %s@%s: %w", name, version, err)
	}
	return text, nil
}

// run executes the client in dir and returns its standard output.
func (f Fetcher) run(ctx context.Context, dir string, args ...string) (string, error) {
	path, err := f.client()
	if err != nil {
		return "", err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	cmd.WaitDelay = clientGrace
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("running %s %s: %w%s", filepath.Base(path), args[0], err, lastLine(stdout, stderr))
	}
	return stdout.String(), nil
}

// lastLine is the client's own last word, as ": text", or nothing.
func lastLine(streams ...bytes.Buffer) string {
	for i := len(streams) - 1; i >= 0; i-- {
		lines := strings.Split(strings.TrimSpace(streams[i].String()), "\n")
		if text := strings.TrimSpace(lines[len(lines)-1]); text != "" {
			return ": " + text
		}
	}
	return ""
}
