// Command bench measures the gate against its baselines, in one run and side by side, and writes docs/performance.md.
//
// Run it from the root of the repository: go run ./tests/bench. Nothing here asserts a time; it measures and prints.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

const envRounds = "EBBGATE_BENCH_ROUNDS"

type options struct {
	events, rounds, passRounds int
	doorRounds                 int
	out, profile, only         string
	against                    string
	rate                       int
	paced                      time.Duration
}

func main() {
	role := os.Getenv(envRole)
	var err error
	switch role {
	case "":
		err = bench()
	case roleBroker, roleClickHouse:
		err = serve(role)
	case rolePass:
		err = servePass()
	case roleBudget:
		err = serveBudget()
	default:
		err = contend(role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench() error {
	var o options
	flag.IntVar(&o.events, "events", 400_000, "events on the topic")
	flag.IntVar(&o.rounds, "rounds", 6, "rounds of the whole job; the first is not counted")
	flag.IntVar(&o.passRounds, "pass-rounds", 8, "rounds of the policy pass; the first is not counted")
	flag.IntVar(&o.doorRounds, "door-rounds", 5, "rounds of the doors; the first is not counted")
	flag.StringVar(&o.out, "out", "docs/performance.md", "the page to write; empty for none")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of one further run of ebbgate to this file")
	flag.StringVar(&o.only, "only", "", "measure only this: pass, job, paced, doors, or a contender by its name; writes no page")
	flag.IntVar(&o.rate, "rate", 2000, "events a second of the paced run")
	flag.DurationVar(&o.paced, "paced", 30*time.Second, "how long the paced run counts")
	flag.StringVar(&o.against, "against", "", "another build of this program, whose ebbgate runs in turn with this one's: for before and after")
	flag.Parse()
	if o.against != "" {
		contenders = append(contenders, contender{name: beforeName, role: roleEbbgate, packed: true, program: o.against})
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	r := &report{options: o, before: load()}
	var err error
	if r.cases, err = checkCorpus(); err != nil {
		return err
	}
	tell("the gate refuses what it must in all %d cases of the bypass corpus", r.cases)
	if o.only == "" || o.only == "pass" {
		if r.pass, err = measurePass(ctx, o.passRounds); err != nil {
			return err
		}
		fmt.Print(r.passTable())
		if r.budgets, err = measureBudgets(ctx); err != nil {
			return err
		}
		fmt.Print(r.budgetTable())
	}
	if o.only == "" || o.only == "paced" {
		for _, place := range pacedPlaces() {
			d, err := measurePaced(ctx, o.rate, o.paced, place)
			if err != nil {
				return err
			}
			r.delays = append(r.delays, d)
		}
		fmt.Print(r.pacedTable())
	}
	if o.only == "" || o.only == "doors" {
		if r.doors, err = measureDoors(ctx, o.doorRounds); err != nil {
			return err
		}
		fmt.Print(r.doorTables())
	}
	if o.only != "pass" && o.only != "paced" && o.only != "doors" {
		if err := r.measureJob(ctx); err != nil {
			return err
		}
		fmt.Print(r.jobTable() + r.profileText)
	}
	r.after = load()
	if o.only != "" || o.out == "" {
		return nil
	}
	return r.write()
}

// measureJob runs every contender once per round, so that what the machine does meanwhile falls on all alike.
func (r *report) measureJob(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "ebbgate-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	j, err := newJob(ctx, dir, r.events)
	if err != nil {
		return err
	}
	defer j.close()
	for round := range r.rounds {
		for _, c := range contenders {
			if !r.measures(c) {
				continue
			}
			got, err := j.measure(ctx, c, "")
			if err != nil {
				return err
			}
			tell("round %d  %-27s %6.2f us/event  start %v  %d MB  %d rows  %v", round, c.name, got.perEvent(r.events)/1000, got.Start, got.RSS>>20, got.Rows, got.wall.Round(time.Millisecond))
			if round > 0 || r.rounds == 1 {
				j.runs[c.name] = append(j.runs[c.name], got)
			}
		}
	}
	r.runs, r.eventSize = j.runs, j.eventSize
	if err := r.sameRows(); err != nil || (r.only != "" && r.profile == "") {
		return err
	}
	return r.profiled(ctx, j)
}

func (r *report) measures(c contender) bool {
	return r.only == "" || r.only == "job" || r.only == c.name || c.name == beforeName
}

// profiled runs Ebbgate once more under the profiler.
func (r *report) profiled(ctx context.Context, j *job) error {
	path := r.profile
	if path == "" {
		path = filepath.Join(j.dir, "cpu.prof")
	}
	got, err := j.measure(ctx, contenders[2], path)
	if err != nil {
		return err
	}
	r.profileText, err = profileTable(ctx, path, got.perEvent(r.events)/1000)
	return err
}

// output runs this program in another role and returns what it prints.
func output(ctx context.Context, role string, env ...string) ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(append(os.Environ(), env...), envRole+"="+role, "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	return cmd.Output()
}

var errDiffer = errors.New("the contenders did not do the same work, so no number counts")
