package stage

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// folder is a workspace of the test's own, and what components are given to work with.
type folder struct {
	t      *testing.T
	dir    string
	policy string
	first  string // version
	mgr    *service.Resources
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	f := &folder{t: t, dir: t.TempDir(), mgr: service.MockResources()}
	require.NoError(t, os.CopyFS(f.dir, os.DirFS(filepath.Join("..", "..", "pipelines"))))
	text, err := os.ReadFile(filepath.Join(f.dir, "policy.yaml"))
	require.NoError(t, err)
	f.policy, f.first = string(text), f.runtime("0s").Rules().Policy.Version
	return f
}

func (f *folder) runtime(period string) *Runtime {
	f.t.Helper()
	rt, err := f.load(period)
	require.NoError(f.t, err)
	return rt
}

func (f *folder) load(period string) (*Runtime, error) {
	conf, err := service.NewConfigSpec().Fields(WorkspaceField(), ReloadField()).ParseYAML("workspace: "+f.dir+"\nreload_period: "+period, nil)
	require.NoError(f.t, err)
	return NewRuntime(conf, f.mgr)
}

// write puts a policy in place at once, as a tool that renames does.
func (f *folder) write(text string) {
	f.t.Helper()
	next := filepath.Join(f.dir, "next")
	require.NoError(f.t, os.WriteFile(next, []byte(text), 0o600))
	require.NoError(f.t, os.Rename(next, filepath.Join(f.dir, "policy.yaml")))
}

func (f *folder) version(v string) { f.write(strings.Replace(f.policy, f.first, v, 1)) }

// follow makes the version a component's part, and closes it with the test.
func follow(t *testing.T, rt *Runtime, settle func(context.Context, *Rules) error) *Part[string] {
	t.Helper()
	p, err := NewPart(rt, func(r *Rules) (string, error) { return r.Policy.Version, nil }, settle)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

func (p *Part[T]) becomes(t *testing.T, version string) {
	t.Helper()
	require.Eventually(t, func() bool {
		r, _ := p.Now()
		return r.Policy.Version == version
	}, 20*time.Second, time.Millisecond, version)
}

// Many batches take what is in force while it is replaced again and again: rules and parts always belong together.
func TestRulesAndPartsAreReplacedAsOne(t *testing.T) {
	f := newFolder(t)
	rt := f.runtime("1ms")
	one, other := follow(t, rt, nil), follow(t, f.runtime("0s"), nil)
	var wg sync.WaitGroup
	var end atomic.Bool
	for range 4 {
		wg.Go(func() {
			for !end.Load() {
				rules, made := one.Now()
				also, ok := other.Of(rules)
				if made != rules.Policy.Version || !ok || also != made || rules.Publish().Version != made {
					t.Errorf("version %s: parts of %s and %s", rules.Policy.Version, made, also)
					return
				}
			}
		})
	}
	wg.Go(func() { // components come and go meanwhile
		for !end.Load() {
			p, err := NewPart(rt, func(r *Rules) (string, error) { return r.Policy.Version, nil }, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if rules, made := p.Now(); made != rules.Policy.Version {
				t.Errorf("version %s: part of %q", rules.Policy.Version, made)
			}
			p.Close()
		}
	})
	for n := range 20 {
		f.version("v" + strconv.Itoa(n))
		one.becomes(t, "v"+strconv.Itoa(n))
	}
	end.Store(true)
	wg.Wait()
}

// What one component cannot work with is in force for none.
func TestOneComponentKeepsAGenerationOut(t *testing.T) {
	f := newFolder(t)
	rt := f.runtime("1ms")
	quiet, asked := follow(t, rt, nil), make(chan string, 1)
	picky, err := NewPart(rt, func(r *Rules) (int, error) {
		if strings.HasPrefix(r.Policy.Version, "bad") {
			select {
			case asked <- r.Policy.Version:
			default:
			}
			return 0, errors.New("not with me")
		}
		return 1, nil
	}, nil)
	require.NoError(t, err)
	defer picky.Close()
	f.version("bad")
	require.Equal(t, "bad", <-asked)
	rules, _ := quiet.Now()
	require.Equal(t, f.first, rules.Policy.Version)
	f.version("good")
	quiet.becomes(t, "good")
}

// Nothing is judged by a generation before what must be durable first is; what hinders that is tried again.
func TestWhatMustBeDurableComesFirst(t *testing.T) {
	f := newFolder(t)
	rt := f.runtime("1ms")
	var tries atomic.Int32
	p := follow(t, rt, func(context.Context, *Rules) error {
		if rt.Rules().Policy.Version != f.first {
			t.Error("it is in force already")
		}
		if tries.Add(1) < 3 {
			return errors.New("the broker is away")
		}
		return nil
	})
	f.version("next")
	p.becomes(t, "next")
	require.EqualValues(t, 3, tries.Load())
}

// Batches on their way finish by the rules they began with, and learn that there are others.
func TestABatchKeepsItsRules(t *testing.T) {
	f := newFolder(t)
	p := follow(t, f.runtime("1ms"), nil)
	read := func() *service.Message {
		rules, _ := p.Now()
		msg := message()
		_, err := rules.NewReaderPool().Get().Index(msg)
		require.NoError(t, err)
		return msg
	}
	early := read()
	f.version("next")
	<-RulesOf(early).Replaced()
	late := read()

	rules, made := p.ForBatch(service.MessageBatch{message(), early, late})
	require.Equal(t, f.first, made)
	require.False(t, p.Strays(early, rules))
	require.True(t, p.Strays(late, rules), "it was read by another policy than its batch is judged by")
	require.False(t, p.Strays(message(), rules), "nobody has read it")
	_, made = p.ForBatch(service.MessageBatch{message()})
	require.Equal(t, "next", made)

	elsewhere := newFolder(t)
	foreign := follow(t, elsewhere.runtime("0s"), nil)
	_, made = foreign.ForBatch(service.MessageBatch{late})
	require.Equal(t, elsewhere.first, made)
	here, _ := foreign.Now()
	require.False(t, foreign.Strays(late, here), "the rules of another workspace are nobody's here")
}

// A component that is built when no other is left reads the folder as at the start.
func TestWithoutComponentsNothingIsInForce(t *testing.T) {
	f := newFolder(t)
	p := follow(t, f.runtime("1ms"), nil)
	p.Close()
	f.version("next")
	require.Equal(t, "next", f.runtime("1ms").Rules().Policy.Version)
	f.write("version: [")
	_, err := f.load("1ms")
	require.ErrorContains(t, err, "policy.yaml:")
}

// With a period of zero nobody looks.
func TestNoPeriodIsNever(t *testing.T) {
	f := newFolder(t)
	p := follow(t, f.runtime("0s"), nil)
	rules, _ := p.Now()
	require.Nil(t, p.live.stop)
	require.Equal(t, f.first, rules.Policy.Version)
}

// A refusal is told once for as long as it stays the same one.
func TestARefusalIsToldOnce(t *testing.T) {
	rules := newFolder(t).runtime("0s").Rules()
	var log strings.Builder
	report := &reloadReport{log: service.NewLoggerFromSlog(slog.New(slog.NewTextHandler(&log, nil)))} // metrics that are nil count nothing
	told := func() int { return strings.Count(log.String(), "stays in force") }
	one, other := errors.New("policy.yaml:1: one"), errors.New("policy.yaml:2: other")
	for _, err := range []error{one, one, one, other, other} {
		report.refused("pipelines", rules, err)
	}
	require.Equal(t, 2, told())
	report.unchanged()
	report.refused("pipelines", rules, other)
	require.Equal(t, 3, told(), "it was mended in between")
}
