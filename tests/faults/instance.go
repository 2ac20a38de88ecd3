package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ebbgate/ebbgate/internal/crash"
)

// instance is one process that runs all streams.
type instance struct {
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
}

// start adds an instance, which dies at a place if one is named.
func (r *rig) start(at string) error {
	r.started++
	in := &instance{log: filepath.Join(r.dir, fmt.Sprintf("%04d.log", r.started)), exited: make(chan struct{})}
	log, err := os.Create(in.log)
	if err != nil {
		return err
	}
	defer log.Close()
	in.cmd = r.command("streams", "-o", "pipelines/service.yaml", "pipelines/streams", sinkFile)
	in.cmd.Env = append(in.cmd.Env, crash.Environment+"="+at)
	in.cmd.Stdout, in.cmd.Stderr = log, log
	if err := in.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = in.cmd.Wait()
		close(in.exited)
	}()
	r.running = append(r.running, in)
	return nil
}

// forget takes an instance that has ended off the list, with its log.
func (r *rig) forget(in *instance) {
	for i, other := range r.running {
		if other == in {
			r.running = append(r.running[:i], r.running[i+1:]...)
			break
		}
	}
	_ = os.Remove(in.log)
}

func (in *instance) kill() {
	_ = in.cmd.Process.Kill() // fails only when it has ended
	<-in.exited
}

// leave asks the instance to end, as a rollout does.
func (in *instance) leave() error {
	_ = in.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-in.exited:
		return nil
	case <-time.After(patience):
		in.kill()
		return errors.New("an instance did not end when it was told to")
	}
}

// alive tells whether all instances still run; one that ended by itself is told with its last lines.
func (r *rig) alive() error {
	for _, in := range r.running {
		select {
		case <-in.exited:
			text, _ := os.ReadFile(in.log)
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			return fmt.Errorf("an instance ended by itself: %s", strings.Join(lines[max(0, len(lines)-5):], "\n"))
		default:
		}
	}
	return nil
}

// until asks again and again whether something is so.
func (r *rig) until(ctx context.Context, what string, so func(context.Context) (bool, string)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	state := ""
	for {
		ask, stop := context.WithTimeout(ctx, 5*time.Second)
		var ok bool
		ok, state = so(ask)
		stop()
		if ok {
			return nil
		}
		if err := r.alive(); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w; %s", what, ctx.Err(), state)
		}
	}
}
