package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/staging"
)

// ErrNoStaging means that the workspace declares no staging area, and needs none.
var ErrNoStaging = errors.New("the workspace has no " + staging.File + ": write one, or copy that of `ebbgate init`")

// Staging reads the workspace's staging area and holds it against the policy and the contracts.
func (w *Workspace) Staging() (*staging.Area, error) {
	return readStaging(os.DirFS(w.Dir), w.Contracts, w.Policy)
}

func readStaging(fsys fs.FS, contracts *contract.Set, p *policy.Policy) (*staging.Area, error) {
	src, err := fs.ReadFile(fsys, staging.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoStaging
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", staging.File, err)
	}
	area, err := staging.Parse(src, staging.File)
	if err != nil {
		return nil, err
	}
	return area, area.Check(contracts, p)
}

// staging reports what is wrong with the area, where there is one.
func (l *linter) staging() {
	if _, err := readStaging(l.fsys, l.contracts, l.w.Policy); !errors.Is(err, ErrNoStaging) {
		l.findings = append(l.findings, refusals(err)...)
	}
}
