package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := command(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

var errSurvived = errors.New("some survived: a guarantee is not held by the test that is named for it")

func command(ctx context.Context) error {
	only := flag.String("only", "", "those whose name holds this text")
	page := flag.String("page", "", "page to write the matrix into")
	jobs := flag.Int("jobs", 2, "how many at once")
	flag.Parse()
	list, err := load("tests/mutants/mutants.yaml")
	if err != nil {
		return err
	}
	var chosen []*mutant
	for _, m := range list {
		if strings.Contains(m.Name, *only) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant has %q in its name", *only)
	}
	results := runAll(ctx, chosen, *jobs)
	survived := 0
	for _, r := range results {
		if r.outcome != killed {
			survived++
			fmt.Printf("%s: %s\n%s\n", r.outcome, r.Name, r.detail)
		}
	}
	fmt.Printf("%d of %d killed\n", len(results)-survived, len(results))
	if *page != "" && *only == "" {
		if err := writePage(*page, results); err != nil {
			return err
		}
	}
	if survived > 0 {
		return errSurvived
	}
	return nil
}

// runAll tries the mutants, some at a time, and keeps their order.
func runAll(ctx context.Context, list []*mutant, jobs int) []result {
	results := make([]result, len(list))
	slots := make(chan struct{}, jobs)
	var wg sync.WaitGroup
	for i, m := range list {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			results[i] = m.try(ctx)
			fmt.Printf("%-9s %5.1f s  %s\n", results[i].outcome, results[i].took.Seconds(), m.Name)
		})
	}
	wg.Wait()
	return results
}
