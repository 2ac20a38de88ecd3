package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"testing/fstest"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/policy"
)

// Published is the record of one policy version, as it lies in the topic with role policies under that version: all that
// judged the events which name it, so that any of them can be judged by it again.
type Published struct {
	Version   string            `json:"version"`
	SHA256    string            `json:"sha256"` // Workspace.Hash: over policy.yaml and every file of contracts/
	Policy    string            `json:"policy"`
	Contracts map[string]string `json:"contracts"` // newest version by event name
	Files     map[string]string `json:"files"`     // text of every file of contracts/, by its name in the workspace
}

// Publish makes the record of the workspace's policy.
func (w *Workspace) Publish() *Published {
	p := &Published{Version: w.Policy.Version, SHA256: w.hash, Contracts: map[string]string{}, Files: map[string]string{}}
	for name, file := range w.files {
		if decides(name) {
			p.Files[name] = string(file.Data)
		}
	}
	p.Policy = p.Files[PolicyFile]
	delete(p.Files, PolicyFile)
	for _, c := range w.Contracts.All() { // ascending by version, so the newest stays
		p.Contracts[c.Event] = c.Version
	}
	return p
}

// ParsePublished reads a record of the topic.
func ParsePublished(value []byte) (*Published, error) {
	p := &Published{}
	if err := json.Unmarshal(value, p); err != nil || p.Version == "" {
		return nil, errors.New("reading a published policy: the record is not one that ebbgate writes")
	}
	return p, nil
}

// Rules rebuilds policy and contracts from the record; topics are not part of it. A record whose texts do not add up to
// its SHA256 is refused.
func (p *Published) Rules() (*Workspace, error) {
	files := fstest.MapFS{PolicyFile: {Data: []byte(p.Policy)}}
	for name, text := range p.Files {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	w, err := rules(files, PolicyFile)
	if err != nil {
		return nil, fmt.Errorf("reading published policy %s: %w", p.Version, err)
	}
	if w.hash != p.SHA256 || w.Policy.Version != p.Version {
		return nil, fmt.Errorf("reading published policy %s: its texts are not those its sha256 was made of", p.Version)
	}
	return w, nil
}

// LoadRules loads the policy and contracts of a folder without its topics. policyFile is another policy to hold against
// the contracts, or "" for the folder's own.
func LoadRules(dir, policyFile string) (*Workspace, error) {
	files, err := snapshot(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	name := PolicyFile
	if policyFile != "" {
		text, err := os.ReadFile(policyFile)
		if err != nil {
			return nil, fmt.Errorf("reading the policy: %w", err)
		}
		files[PolicyFile], name = &fstest.MapFile{Data: text}, path.Base(policyFile)
	}
	w, err := rules(files, name)
	if err == nil {
		w.Dir = dir
	}
	return w, err
}

// rules is LoadFS without topics; name is how decisions call the policy.
func rules(files fstest.MapFS, name string) (*Workspace, error) {
	contracts, err := contract.Load(files, ContractsFolder)
	if err != nil {
		return nil, err
	}
	src, err := read(files, PolicyFile)
	if err != nil {
		return nil, err
	}
	w := &Workspace{}
	if w.Policy, err = policy.Compile(src, name, contracts); err != nil {
		return nil, err
	}
	return w, w.bind(contracts, files)
}
