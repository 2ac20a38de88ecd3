package main

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/bytedance/sonic"
	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/policy"
	ws "github.com/ebbgate/ebbgate/internal/workspace"
)

const rolePass = "pass"

// What is measured on events in memory.
const (
	passPolicy   = "the policy pass"
	passScan     = "the strict scan alone"
	passContract = "scan, envelope and contract"
	passMutation = "Bloblang `mutation`, the same policy"
	passSonic    = "`sonic.Valid`"
	passStandard = "`encoding/json.Valid`"
)

var passNames = []string{passPolicy, passScan, passContract, passSonic, passStandard, passMutation}

// passEvents is how many different events are gone through, so that branches and caches see variety.
const passEvents = 1000

// sample is one round of one of them.
type sample struct{ Nanos, Allocs float64 }

// passResult is by name, a sample per round.
type passResult map[string][]sample

// gate is the policy pass as the processors make it: the strict scan, envelope, contract, claim, judgement, decision,
// projection.
type gate struct {
	ws      *ws.Workspace
	scanner *event.Scanner
	claims  *consent.Reader
	worker  *policy.Worker
	now     time.Time

	index      event.Index
	checked    contract.Result
	states     [2]consent.State
	verdict    consent.Verdict
	projection policy.Projection
	out        []byte
}

func newGate() (*gate, error) {
	loaded, err := ws.Load(workspace)
	if err != nil {
		return nil, err
	}
	plan, err := loaded.Policy.Bind(loaded.Dict, keys.ForTesting("bench"))
	if err != nil {
		return nil, err
	}
	g := &gate{ws: loaded, scanner: event.NewScanner(loaded.Dict, event.DefaultLimits), worker: plan.Worker(), now: time.Now().UTC()}
	g.claims, err = consent.NewReader(loaded.Dict, loaded.Policy.Purposes())
	return g, err
}

var errRefused = errors.New("the benchmark's own event was refused")

// check is the envelope and contract of the scanned event.
func (g *gate) check() error {
	if fault := event.CheckEnvelope(&g.index, g.now, event.DefaultTimeLimits); fault != nil {
		return fault
	}
	agreed, fault := g.ws.Contracts.For(&g.index)
	if fault != nil {
		return fault
	}
	if agreed.Check(&g.index, &g.checked); len(g.checked.Faults) > 0 || len(g.checked.Remove) > 0 {
		return errRefused
	}
	return nil
}

// pass takes one event through everything; denied events give no bytes.
func (g *gate) pass(body []byte) error {
	if err := g.scanner.Scan(body, &g.index); err != nil {
		return err
	}
	if err := g.check(); err != nil {
		return err
	}
	claim, fault := g.ws.Policy.Claim(g.claims, &g.index)
	if fault != nil {
		return fault
	}
	g.verdict = consent.Judge(g.ws.Policy.Purposes(), claim, g.states[:], g.now)
	out, err := g.worker.Project(0, g.out[:0], &g.index, &g.verdict, &g.projection)
	g.out = out
	if errors.Is(err, policy.ErrDenied) {
		return nil
	}
	return err
}

func passBodies(start time.Time) [][]byte {
	bodies := make([][]byte, passEvents)
	for i := range bodies {
		bodies[i] = appendEvent(nil, start, i)
	}
	return bodies
}

// passSteps are the functions under measurement, each over one event.
func passSteps(g *gate) (map[string]func([]byte) error, error) {
	mapping, err := bloblang.Parse(mutation("test0000"))
	if err != nil {
		return nil, err
	}
	valid := func(is func([]byte) bool) func([]byte) error {
		return func(body []byte) error {
			if !is(body) {
				return errRefused
			}
			return nil
		}
	}
	return map[string]func([]byte) error{
		passPolicy:   g.pass,
		passScan:     func(body []byte) error { return g.scanner.Scan(body, &g.index) },
		passContract: func(body []byte) error { return errors.Join(g.scanner.Scan(body, &g.index), g.check()) },
		passSonic:    valid(sonic.Valid),
		passStandard: valid(stdjson.Valid),
		passMutation: func(body []byte) error { return mutate(mapping, body) },
	}, nil
}

// mutate is what the engine's processor does with one message.
func mutate(mapping *bloblang.Executor, body []byte) error {
	msg, err := service.NewMessage(body).BloblangMutate(mapping)
	if err != nil || msg == nil {
		return err
	}
	_, err = msg.AsBytes()
	return err
}

// servePass measures in turn, rounds times; the first round is for warming up.
func servePass() error {
	rounds, err := strconv.Atoi(os.Getenv(envRounds))
	if err != nil {
		return err
	}
	g, err := newGate()
	if err != nil {
		return err
	}
	steps, err := passSteps(g)
	if err != nil {
		return err
	}
	bodies := passBodies(g.now.Add(-time.Hour))
	result := passResult{}
	for round := range rounds {
		for _, name := range passNames {
			s, err := passRound(steps[name], bodies)
			if err != nil {
				return fmt.Errorf("measuring %s: %w", name, err)
			}
			if round > 0 {
				result[name] = append(result[name], s)
			}
		}
	}
	return stdjson.NewEncoder(os.Stdout).Encode(result)
}

// passTime is about how much CPU one round of one step takes.
const passTime = 250 * time.Millisecond

func passRound(step func([]byte) error, bodies [][]byte) (sample, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, n := cpu(), 0
	for cpu()-start < passTime {
		for _, body := range bodies {
			if err := step(body); err != nil {
				return sample{}, err
			}
		}
		n += len(bodies)
	}
	spent := cpu() - start
	runtime.ReadMemStats(&after)
	return sample{
		Nanos:  float64(spent.Nanoseconds()) / float64(n),
		Allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
	}, nil
}

// measurePass runs the steps in a process of their own.
func measurePass(ctx context.Context, rounds int) (passResult, error) {
	out, err := output(ctx, rolePass, envRounds+"="+strconv.Itoa(rounds))
	if err != nil {
		return nil, err
	}
	var result passResult
	return result, stdjson.Unmarshal(out, &result)
}
