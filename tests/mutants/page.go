package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
)

// Between these lines of the page stands the matrix.
const (
	pageBegin = "<!-- what follows is written by: go run ./tests/mutants -page docs/reliability.md -->\n"
	pageEnd   = "<!-- end of the matrix -->\n"
)

func writePage(file string, results []result) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(pageBegin))
	_, after, closed := bytes.Cut(rest, []byte(pageEnd))
	if !ok || !closed {
		return fmt.Errorf("%s: the lines between which the matrix stands are missing", file)
	}
	var b bytes.Buffer
	b.WriteString("\n| broken so that the program | in | is found by | |\n|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | `%s` | `%s` of `%s` | %s |\n", r.Name, r.File, r.Test, r.Package, r.outcome)
	}
	b.WriteString("\n")
	return os.WriteFile(file, slices.Concat(before, []byte(pageBegin), b.Bytes(), []byte(pageEnd), after), 0o644)
}
