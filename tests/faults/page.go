package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
)

// Between these lines of the page stands what runs reported.
const (
	pageBegin = "<!-- what follows is written by: go run ./tests/faults -page docs/reliability.md REPORT... -->\n"
	pageEnd   = "<!-- end -->\n"
)

func writePage(file string, reports []string) error {
	if len(reports) == 0 {
		return errors.New("name the reports to write into the page")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(pageBegin))
	_, after, closed := bytes.Cut(rest, []byte(pageEnd))
	if !ok || !closed {
		return fmt.Errorf("%s: the lines between which the table stands are missing", file)
	}
	var runs []*report
	for _, name := range reports {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rep := &report{}
		if err := json.Unmarshal(text, rep); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		runs = append(runs, rep)
	}
	return os.WriteFile(file, slices.Concat(before, []byte(pageBegin), table(runs), []byte(pageEnd), after), 0o644)
}

func table(runs []*report) []byte {
	var b bytes.Buffer
	b.WriteString("\n| run | seed | time | events | SIGKILL of pipelines | of brokers | of ClickHouse | of PostgreSQL | rebalances | lost | leaked | twice in the table | not as the reference says |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	sum, injected := [12]int{}, map[string]int{}
	for i, r := range runs {
		lost, wrong := r.RowsLost, 0
		for _, a := range r.Destinations {
			lost, wrong = lost+a.Lost, wrong+a.Wrong
		}
		row := [12]int{0, r.Seconds, r.Accepted, r.kills(), r.count(broker), r.count(store), r.count(area), r.rebalances(), lost, r.Leaked, r.RowsTwice, wrong}
		for k := range row {
			sum[k] += row[k]
		}
		fmt.Fprintf(&b, "| %d, of %s | %d ", i+1, r.Version, r.Seed)
		cells(&b, row)
		for name, n := range r.Injected {
			injected[name] += n
		}
	}
	if len(runs) > 1 {
		b.WriteString("| all | ")
		cells(&b, sum)
	}
	b.WriteString("\nMeanwhile the brokers answered with errors of their own, and moved about:\n\n| what | times |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(injected)) {
		fmt.Fprintf(&b, "| %s | %d |\n", name, injected[name])
	}
	b.WriteString("\n")
	return b.Bytes()
}

func cells(b *bytes.Buffer, row [12]int) {
	fmt.Fprintf(b, "| %d s ", row[1])
	for _, n := range row[2:] {
		fmt.Fprintf(b, "| %d ", n)
	}
	b.WriteString("|\n")
}
