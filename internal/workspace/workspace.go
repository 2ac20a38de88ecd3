// Package workspace loads the files a team edits, policy.yaml, contracts/ and topics.yaml, and checks them together.
package workspace

import (
	"fmt"
	"io/fs"
	"os"
	"testing/fstest" // a file system in memory; it brings nothing of package testing along

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/contract/strict"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// Names of the files of a workspace.
const (
	PolicyFile      = "policy.yaml"
	TopicsFile      = "topics.yaml"
	ContractsFolder = "contracts"
)

// Workspace is a loaded and checked folder. It is immutable and safe for concurrent use.
type Workspace struct {
	Dir       string
	Contracts *contract.Set // bound to Dict
	Policy    *policy.Policy
	Topics    *topics.Set
	Dict      *event.Dictionary // every governed path, consent.<purpose> included

	hash  string
	files fstest.MapFS // what it was made of
}

// Load reads the folder and holds its files against each other. The error joins every problem of every file, each with file, line,
// field and remedy.
func Load(dir string) (*Workspace, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("opening workspace %s: it is no folder: name the one that holds policy.yaml, contracts/ and topics.yaml", dir)
	}
	w, err := LoadFS(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	w.Dir = dir
	return w, nil
}

// LoadFS is Load for a file system whose root is the workspace, an embedded one for example.
func LoadFS(fsys fs.FS) (*Workspace, error) {
	files, err := snapshot(fsys)
	if err != nil {
		return nil, err
	}
	return build(files)
}

func build(files fstest.MapFS) (*Workspace, error) {
	w, contracts, err := parse(files)
	if err != nil {
		return nil, err
	}
	if err := w.check(contracts); err != nil {
		return nil, err
	}
	return w, w.bind(contracts, files)
}

// parse reads each file by itself. What has problems is nil in what it returns.
func parse(fsys fs.FS) (*Workspace, *contract.Set, error) {
	w := &Workspace{}
	var problems []error
	contracts, err := contract.Load(fsys, ContractsFolder)
	problems = append(problems, err)
	policySource, err := read(fsys, PolicyFile)
	problems = append(problems, err)
	topicsSource, err := read(fsys, TopicsFile)
	problems = append(problems, err)
	if topicsSource != nil {
		w.Topics, err = topics.Parse(topicsSource, TopicsFile)
		problems = append(problems, err)
	}
	if policySource != nil {
		w.Policy, err = compile(policySource, contracts)
		problems = append(problems, err)
	}
	return w, contracts, strict.Join(problems...)
}

// compile proves the policy against the contracts. Where they could not be loaded every path would be one more problem, so only what
// is wrong in itself is reported then.
func compile(src []byte, contracts *contract.Set) (*policy.Policy, error) {
	if contracts == nil {
		return nil, policy.Lint(src, PolicyFile)
	}
	return policy.Compile(src, PolicyFile, contracts)
}

// Hash is the SHA-256, in hex, over the policy and the contracts: what decides about an event, byte for byte.
func (w *Workspace) Hash() string { return w.hash }

func (w *Workspace) bind(contracts *contract.Set, files fstest.MapFS) error {
	paths := contracts.Paths()
	for _, purpose := range w.Policy.Purposes().Names() {
		paths = append(paths, "consent."+purpose)
	}
	dict, err := event.NewDictionary(paths...)
	if err != nil {
		return fmt.Errorf("numbering the paths of the contracts: %w", err)
	}
	w.Dict, w.Contracts = dict, contracts.Bind(dict)
	w.files, w.hash = files, hash(files)
	return nil
}

func read(fsys fs.FS, name string) ([]byte, error) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, &strict.Problem{File: name, What: "file cannot be read", Remedy: "create it and make it readable"}
	}
	return src, nil
}
