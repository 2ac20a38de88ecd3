package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ebbgate/ebbgate/internal/books"
)

// play makes one fault happen, and leaves one instance running.
func (r *rig) play(ctx context.Context, s step) error {
	if s.kind != die {
		if err := r.moved(ctx, s.after); err != nil {
			return err
		}
	}
	switch s.kind {
	case kill:
		return r.replace("")
	case die:
		return r.crash(ctx, s)
	case broker:
		return r.brokers.restart(ctx)
	case store:
		r.store.running.Kill()
		return errors.Join(r.moved(ctx, s.after), r.store.start(ctx))
	case area:
		r.area.running.Kill()
		return errors.Join(r.moved(ctx, s.after), r.area.start(ctx))
	case zombie:
		return r.zombie(ctx)
	case scale:
		return r.scale(ctx)
	}
	return r.roll(ctx)
}

// replace kills the one instance and starts another.
func (r *rig) replace(at string) error {
	old := r.running[0]
	old.kill()
	r.forget(old)
	return r.start(at)
}

// crash has an instance die at a named place, and starts another.
func (r *rig) crash(ctx context.Context, s step) error {
	if err := r.replace(fmt.Sprintf("%s:%d", s.place, s.nth)); err != nil {
		return err
	}
	doomed := r.running[0]
	select {
	case <-doomed.exited:
	case <-time.After(patience):
		return fmt.Errorf("nothing passed %s %d times", s.place, s.nth)
	case <-ctx.Done():
		return ctx.Err()
	}
	if status, ok := doomed.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		text, _ := os.ReadFile(doomed.log)
		return fmt.Errorf("the instance did not die at %s but ended: %s", s.place, text[max(0, len(text)-2000):])
	}
	r.forget(doomed)
	return r.start("")
}

// zombie stops an instance until others have its partitions, lets it go on as if nothing had been, and ends it.
func (r *rig) zombie(ctx context.Context) error {
	old := r.running[0]
	if err := old.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	err := r.start("")
	if err == nil {
		err = r.members(ctx, 1)
	}
	if err == nil {
		err = r.moved(ctx, 0.2)
	}
	if err := errors.Join(err, old.cmd.Process.Signal(syscall.SIGCONT)); err != nil {
		return err
	}
	if err := r.members(ctx, 2); err != nil {
		return err
	}
	defer r.forget(old)
	return old.leave()
}

// scale has three instances share the work, kills one and lets one go.
func (r *rig) scale(ctx context.Context) error {
	if err := errors.Join(r.start(""), r.start("")); err != nil {
		return err
	}
	if err := r.members(ctx, 3); err != nil {
		return err
	}
	if err := r.moved(ctx, 0.2); err != nil {
		return err
	}
	killed, gone := r.running[0], r.running[1]
	killed.kill()
	r.forget(killed)
	defer r.forget(gone)
	return gone.leave()
}

// roll replaces the instance as a rollout does: the new one comes before the old one goes.
func (r *rig) roll(ctx context.Context) error {
	old := r.running[0]
	if err := r.start(""); err != nil {
		return err
	}
	if err := r.members(ctx, 2); err != nil {
		return err
	}
	defer r.forget(old)
	return old.leave()
}

// members waits until every group has n members and has settled.
func (r *rig) members(ctx context.Context, n int) error {
	var groups []string
	for _, s := range r.plan().Flow() {
		groups = append(groups, s.Group)
	}
	return r.until(ctx, fmt.Sprintf("all groups have %d members", n), func(ctx context.Context) (bool, string) {
		described, err := r.admin.DescribeGroups(ctx, groups...)
		if err != nil {
			return false, err.Error()
		}
		for _, g := range described.Sorted() {
			if g.Err != nil || g.State != "Stable" || len(g.Members) != n {
				return false, fmt.Sprintf("%s is %s with %d members, %v", g.Group, g.State, len(g.Members), g.Err)
			}
		}
		return true, ""
	})
}

// moved waits until the hops have brought forth some records, as a share of the events of one part, or have nothing to do.
func (r *rig) moved(ctx context.Context, share float64) error {
	target := -1
	return r.until(ctx, "events move", func(ctx context.Context) (bool, string) {
		done, err := r.passed(ctx)
		if err != nil {
			return false, err.Error()
		}
		if target < 0 {
			target = done + 1 + int(share*float64(r.share))
		}
		if done >= target {
			return true, ""
		}
		left, err := r.waiting(ctx, r.plan().Hops...)
		return err == nil && left == "" && done > 0, fmt.Sprintf("%d of %d", done, target)
	})
}

// passed is how many records the hops have brought forth so far.
func (r *rig) passed(ctx context.Context) (n int, err error) {
	ends, err := r.admin.ListEndOffsets(ctx, "events.raw", "events.validated", "events.authorized.analytics")
	if err == nil {
		err = ends.Error()
	}
	ends.Each(func(o kadm.ListedOffset) { n += int(o.Offset) })
	return n, err
}

// drained waits until the groups have settled everything.
func (r *rig) drained(ctx context.Context) error {
	return r.until(ctx, "all has arrived", func(ctx context.Context) (bool, string) {
		left, err := r.waiting(ctx, append(r.plan().Flow(), books.Stage{Topic: "privacy.consent", Group: warehouseGroup})...)
		return err == nil && left == "", fmt.Sprintf("%s %v", left, err)
	})
}

// waiting tells what is still before groups, asked in the order events pass them.
func (r *rig) waiting(ctx context.Context, stages ...books.Stage) (string, error) {
	var left strings.Builder
	for _, s := range stages {
		ends, err := r.admin.ListEndOffsets(ctx, s.Topic)
		if err == nil {
			err = ends.Error()
		}
		if err != nil {
			return "", err
		}
		committed, err := r.admin.FetchOffsets(ctx, s.Group)
		if err != nil {
			return "", err
		}
		n := int64(0)
		ends.Each(func(end kadm.ListedOffset) {
			done, _ := committed.Lookup(end.Topic, end.Partition)
			n += end.Offset - max(0, done.At)
		})
		if n > 0 {
			fmt.Fprintf(&left, "%s: %d; ", s.Group, n)
		}
	}
	return left.String(), nil
}
