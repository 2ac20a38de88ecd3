package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	err := error(nil)
	if role := os.Getenv(envRole); role != "" {
		err = serve(role)
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		err = command(ctx)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// errFaulty ends the command when a run found something wrong.
var errFaulty = errors.New("the run found what must not be; the report names it")

func command(ctx context.Context) error {
	seed := flag.Uint64("seed", rand.Uint64N(1<<32), "decides the events, the faults and their order")
	events := flag.Int("events", 0, "events to send; 0 is the share of the shard")
	shard := flag.String("shard", "", "i/n: the i-th of n parts of the long programme")
	out := flag.String("out", "", "file for the report, as JSON")
	page := flag.String("page", "", "write the reports named as arguments into this page, and run nothing")
	flag.Parse()
	if *page != "" {
		return writePage(*page, flag.Args())
	}
	p := lane
	if *shard != "" {
		i, n := 0, 0
		if _, err := fmt.Sscanf(*shard, "%d/%d", &i, &n); err != nil || i < 1 || i > n {
			return fmt.Errorf("-shard %s: write i/n, as in 1/6", *shard)
		}
		p = programme.part(n)
		*seed += uint64(i) << 32
	}
	if *events > 0 {
		p.Events = *events
	}
	dir, err := os.MkdirTemp("", "ebbgate-faults-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	rep, err := run(ctx, dir, *seed, p, func(format string, args ...any) {
		fmt.Printf(time.Now().Format("15:04:05 ")+format+"\n", args...)
	})
	if err != nil {
		return fmt.Errorf("seed %d: %w", *seed, err)
	}
	fmt.Print(rep)
	if *out != "" {
		if err := rep.save(*out); err != nil {
			return err
		}
	}
	if len(rep.Problems) > 0 {
		return errFaulty
	}
	return nil
}

// run plays one programme in a folder and returns its report. An error means that it could not be played to its end.
func run(ctx context.Context, dir string, seed uint64, p plan, tell func(string, ...any)) (*report, error) {
	started := time.Now()
	tell("seed %d: %d events, %d faults", seed, p.Events, len(p.steps(seed)))
	r, err := newRig(ctx, dir, seed, tell)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	l, err := newLoad(r, seed, p)
	if err != nil {
		return nil, err
	}
	defer l.close()
	rep := &report{Seed: seed, Version: version(), Plan: p}
	if err := play(ctx, r, l, p.steps(seed), rep); err != nil {
		return nil, err
	}
	tell("all is sent; waiting until it has arrived")
	if err := r.drained(ctx); err != nil {
		return nil, err
	}
	tell("all has arrived; counting")
	if err := r.calm(ctx); err != nil {
		return nil, err
	}
	if err := check(ctx, r, l, rep); err != nil {
		return nil, err
	}
	rep.Injected = r.injected()
	rep.Seconds = int(time.Since(started).Seconds())
	return rep, nil
}

// play sends the events in as many parts as there are steps, each while its fault happens.
func play(ctx context.Context, r *rig, l *load, steps []step, rep *report) error {
	if err := r.start(""); err != nil {
		return err
	}
	for i, s := range steps {
		sent := make(chan error, 1)
		go func() { sent <- l.send(ctx, i, len(steps)) }()
		begin := time.Now()
		err := r.play(ctx, s)
		if err = errors.Join(err, <-sent); err != nil {
			return fmt.Errorf("step %d, %s: %w", i+1, s, err)
		}
		if err := r.warehouse.pull(ctx, r); err != nil {
			return fmt.Errorf("step %d, %s: pulling from the staging area: %w", i+1, s, err)
		}
		rep.Played = append(rep.Played, played{s.String(), int(time.Since(begin).Milliseconds())})
		r.tell("%3d/%d %s, %.1f s", i+1, len(steps), s, time.Since(begin).Seconds())
	}
	return nil
}

// root is the folder of the module, from wherever the program runs in it.
func root() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil && len(dir) > 1; dir = filepath.Dir(dir) {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.Contains(string(text), "module github.com/ebbgate/ebbgate") {
			return dir, nil
		}
	}
	return "", errors.Join(err, errors.New("run this inside the repository"))
}
