package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/workspace"
)

// live is the policy and the contracts of one folder for all components of the process: an index can ride from one to the
// next, and one generation be in force for all, only when they share it.
type live struct {
	dir     string
	current atomic.Pointer[Rules]
	report  *reloadReport

	looking sync.Mutex // held through one look at the files; guards watch
	watch   workspace.Watch

	mu     sync.Mutex // guards what follows, and what is in force: parts and rules agree while it is held
	parts  map[part]struct{}
	period time.Duration
	stop   context.CancelFunc // ends the looking; nil while nothing looks
	done   chan struct{}
}

// part is a Part of any type.
type part interface {
	prepare(*Rules) error
	confirm(context.Context, *Rules) error
	period() time.Duration
}

// liveKey is where the engine's generic resources, which all streams of a process share, hold a folder's rules.
type liveKey struct{ dir string }

func shareLive(dir string, mgr *service.Resources) (*live, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening workspace %s: %w", dir, err)
	}
	held, _ := mgr.GetOrSetGeneric(liveKey{abs}, &live{dir: dir, parts: map[part]struct{}{}})
	l := held.(*live)
	return l, l.begin(mgr)
}

func (l *live) rules() *Rules { return l.current.Load() }

// begin loads the folder for a component that is about to be built, unless others look after it already.
func (l *live) begin(mgr *service.Resources) error {
	l.looking.Lock()
	defer l.looking.Unlock()
	l.mu.Lock()
	used := len(l.parts) > 0
	l.mu.Unlock()
	if used {
		return nil
	}
	ws, err := workspace.Load(l.dir)
	if err != nil {
		return fmt.Errorf("loading the workspace %s: %w", l.dir, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.rules(); len(l.parts) > 0 || r != nil && r.Hash() == ws.Hash() {
		return nil
	}
	l.watch = workspace.Watch{FS: os.DirFS(l.dir)}
	if l.report == nil {
		l.report = newReloadReport(mgr)
	}
	l.current.Store(newRules(ws))
	l.report.begins(ws)
	return nil
}

func (l *live) add(p part) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := p.prepare(l.rules()); err != nil {
		return err
	}
	l.parts[p] = struct{}{}
	if every := p.period(); every > 0 && (l.period == 0 || every < l.period) {
		l.period = every
	}
	if l.stop == nil && l.period > 0 {
		var ctx context.Context
		ctx, l.stop = context.WithCancel(context.Background())
		l.done = make(chan struct{})
		go l.keepLooking(ctx, l.done)
	}
	return nil
}

func (l *live) remove(p part) {
	l.mu.Lock()
	delete(l.parts, p)
	l.rules().made.Delete(p)
	stop, done := l.stop, l.done
	if len(l.parts) > 0 || stop == nil {
		l.mu.Unlock()
		return
	}
	l.stop, l.period = nil, 0
	l.mu.Unlock()
	stop()
	<-done
}

func (l *live) keepLooking(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	for {
		l.mu.Lock()
		period := l.period
		l.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(period):
			l.look(ctx)
		}
	}
}

// look brings into force what the files say, if that is new and valid. Nothing that goes wrong touches what is in force.
func (l *live) look(ctx context.Context) {
	l.looking.Lock()
	defer l.looking.Unlock()
	old := l.rules()
	ws, err := l.watch.Look(old.Workspace)
	if err == nil && ws != nil {
		err = l.replace(ctx, newRules(ws))
	}
	switch {
	case errors.Is(err, workspace.ErrUnsettled), ctx.Err() != nil:
	case err != nil:
		l.report.refused(l.dir, old, err)
	case ws != nil:
		l.report.replaced(old, ws)
	default:
		l.report.unchanged()
	}
}

// settlePatience bounds what must be durable first, which a broker that is away keeps from happening: the next look
// tries again.
const settlePatience = 10 * time.Second

// replace brings the next generation into force once every component has made its part of it, and has seen to what must be
// durable first.
func (l *live) replace(ctx context.Context, next *Rules) error {
	parts, err := l.prepare(next)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	for _, p := range parts {
		if err := p.confirm(ctx, next); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.prepareLocked(next); err != nil { // for components that came meanwhile
		return err
	}
	close(l.current.Swap(next).replaced)
	return nil
}

func (l *live) prepare(next *Rules) (parts []part, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.parts {
		parts = append(parts, p)
	}
	return parts, l.prepareLocked(next)
}

func (l *live) prepareLocked(next *Rules) error {
	var errs []error
	for p := range l.parts {
		errs = append(errs, p.prepare(next))
	}
	return errors.Join(errs...)
}
