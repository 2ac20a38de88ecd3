package workspace

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"testing/fstest"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

// ErrUnsettled means that the files changed since the last look: they may be half written.
var ErrUnsettled = errors.New("policy or contracts are being written")

// patience is how many looks in a row may find the files changed again.
const patience = 20

var errRestless = errors.New("policy or contracts change between any two looks: find out what keeps writing them")

// Watch looks at the folder of a workspace that is in force, again and again, and tells when its files have become
// another one. The zero value with FS set is ready.
type Watch struct {
	FS fs.FS

	seen     string // what the last look found, if it is not in force
	restless int
}

// Look compares the files with the workspace in force. It returns nil when they are the same, ErrUnsettled when only
// the next look can tell, the new workspace when they were the same at two looks and are valid together, and else what
// is wrong with them. Topics stay those in force: the streams were built with them.
func (w *Watch) Look(current *Workspace) (*Workspace, error) {
	files, err := snapshot(w.FS)
	if err != nil {
		return nil, err
	}
	switch sum := hash(files); {
	case sum == current.hash:
		w.seen, w.restless = "", 0
		return nil, nil
	case sum != w.seen:
		w.seen = sum
		if w.restless++; w.restless > patience {
			return nil, errRestless
		}
		return nil, ErrUnsettled
	}
	w.restless = 0
	return current.succeed(files)
}

// succeed makes the workspace that takes the place of this one.
func (w *Workspace) succeed(files fstest.MapFS) (*Workspace, error) {
	if err := w.whole(files); err != nil {
		return nil, err
	}
	moved := differ(files[TopicsFile], w.files[TopicsFile])
	files[TopicsFile] = w.files[TopicsFile]
	next, err := build(files)
	if err != nil {
		if moved {
			err = errors.Join(err, &strict.Problem{File: TopicsFile, What: "changed too, and is read at the start only", Remedy: "restart the pipelines where the policy needs it"})
		}
		return nil, err
	}
	if next.Policy.Version == w.Policy.Version {
		return nil, &strict.Problem{
			File: PolicyFile, Line: next.Policy.VersionLine, Field: "version",
			What:   strict.Quote(w.Policy.Version) + " is in force with other content of policy or contracts",
			Remedy: "give it a new version",
		}
	}
	next.Dir = w.Dir
	return next, nil
}

func differ(a, b *fstest.MapFile) bool { return a == nil || b == nil || !bytes.Equal(a.Data, b.Data) }

// whole refuses files that have lost YAML's mark for the end of a document. A file that is cut off at the end of a line
// can be valid, and mean something else; one that carries the mark cannot be cut off unnoticed.
func (w *Workspace) whole(files fstest.MapFS) error {
	var problems strict.Problems
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		if file := files[name]; file != nil && decides(name) && marked(w.files[name].Data) && !marked(file.Data) {
			problems.Add(&strict.Problem{File: name, What: "has lost the line ... at its end, and may be half written", Remedy: "write it to its end"})
		}
	}
	return problems.Err()
}

func marked(src []byte) bool {
	return bytes.HasSuffix(bytes.TrimRight(src, " \r\n"), []byte("\n..."))
}
