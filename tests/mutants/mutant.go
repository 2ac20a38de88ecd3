package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// mutant is one way to break the program.
type mutant struct {
	Name    string `yaml:"name"` // what is broken, as a sentence without its subject
	File    string `yaml:"file"`
	Old     string `yaml:"old"` // stands once in the file
	New     string `yaml:"new"`
	Package string `yaml:"package"`
	Test    string `yaml:"test"` // has to fail
}

// outcome is what became of a mutant.
type outcome string

const (
	killed   outcome = "killed"
	survived outcome = "SURVIVED"
	broken   outcome = "BROKEN" // it does not apply, or does not compile
)

type result struct {
	*mutant
	outcome outcome
	detail  string
	took    time.Duration
}

func load(file string) (list []*mutant, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: run this from the root of the repository", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, nil
}

// patience bounds a test of a mutant: one that hangs has noticed too.
const patience = "150s"

// try builds the package with the file changed and runs the test.
func (m *mutant) try(ctx context.Context) result {
	r := result{mutant: m, outcome: broken}
	begin := time.Now()
	defer func() { r.took = time.Since(begin) }()
	dir, err := os.MkdirTemp("", "ebbgate-mutant-")
	if err != nil {
		r.detail = err.Error()
		return r
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(dir)
	if err != nil {
		r.detail = err.Error()
		return r
	}
	test := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-count=1", "-timeout", patience, "-run", "^"+m.Test+"$", m.Package)
	out, err := test.CombinedOutput()
	text := string(out)
	switch {
	case strings.Contains(text, "no tests to run"):
		r.detail = "there is no test " + m.Test + " in " + m.Package
	case strings.Contains(text, "[build failed]") || strings.Contains(text, "[setup failed]"):
		r.detail = text
	case err == nil:
		r.outcome = survived
	case strings.Contains(text, "--- FAIL") || strings.Contains(text, "panic:"):
		r.outcome = killed
	default:
		r.detail = text
	}
	r.took = time.Since(begin)
	return r
}

// overlay writes the changed file into dir and returns the file that says so.
func (m *mutant) overlay(dir string) (string, error) {
	text, err := os.ReadFile(m.File)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.Old); n != 1 {
		return "", fmt.Errorf("%s holds the text to change %d times", m.File, n)
	}
	changed := filepath.Join(dir, filepath.Base(m.File))
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), m.Old, m.New, 1)), 0o600); err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.File)
	if err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, replace, 0o600)
}
