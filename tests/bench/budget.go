package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
	ws "github.com/ebbgate/ebbgate/internal/workspace"
	"github.com/ebbgate/ebbgate/plugins/all"
)

const roleBudget = "budget"

// budget is how many allocations an event may take in a part of the pipeline. A part that needs more than one in ten
// events has begun to make something for each.
type budget struct {
	Name     string
	Limit    float64
	Measured float64
}

// What may be allocated per event. In the parts that we hold alone nearly everything comes out of slabs; of the whole
// job the rest are the engine's messages and their metadata, and what brokers and servers are spoken to with.
const (
	budgetScan     = 0.1
	budgetContract = 5 // five entries of metadata
	budgetConsent  = 0.5
	budgetRedact   = 2 // two entries of metadata
	budgetEncode   = 0.1
	budgetJob      = 16
)

// budgetBatch is a chunk of an ordinary size.
const budgetBatch = 1000

// stages are the parts of a process that can be measured without a broker.
type stages struct {
	resources *service.Resources
	scanner   *event.Scanner
	arena     event.Arena
	bodies    [][]byte
}

// newStages builds the processors as a stream has them, with a fixed state of consent. dir is for keys.
func newStages(dir string) (*stages, error) {
	file := filepath.Join(dir, "keys")
	if err := keys.Init(file); err != nil {
		return nil, err
	}
	for name, value := range map[string]string{keys.EnvironmentVariable: file, state.EnvironmentStatic: "1"} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	env, err := all.Environment(false)
	if err != nil {
		return nil, err
	}
	builder := env.NewResourceBuilder()
	for name, processor := range map[string]string{
		"contract": "contract: { workspace: %s }",
		"consent":  "consent: { workspace: %s, stage: govern, state: { static: [ { user_id: nobody } ] } }",
		"redact":   "redact: { workspace: %s }",
	} {
		if err := builder.AddProcessorYAML("label: " + name + "\n" + fmt.Sprintf(processor, workspace)); err != nil {
			return nil, err
		}
	}
	s := &stages{}
	if s.resources, _, err = builder.Build(); err != nil {
		return nil, err
	}
	loaded, err := ws.Load(workspace)
	if err != nil {
		return nil, err
	}
	s.scanner = event.NewScanner(loaded.Dict, event.DefaultLimits)
	s.bodies = make([][]byte, budgetBatch)
	start := time.Now().UTC().Add(-time.Hour)
	for i := range s.bodies {
		s.bodies[i] = appendEvent(nil, start, i)
	}
	return s, nil
}

// chunk is what the input hands out, packed.
func (s *stages) chunk() service.MessageBatch {
	of := &stage.Chunk{Topic: topicEvents, Last: budgetBatch - 1}
	batch := make(service.MessageBatch, len(s.bodies))
	for i, body := range s.bodies {
		batch[i] = service.NewMessage(body)
		stage.SetPosition(batch[i], &stage.Position{Chunk: of, Offset: int64(i)})
	}
	batch, _ = stage.NewPack(batch)
	return batch
}

// process runs a processor over a packed chunk and counts allocations per event.
func (s *stages) process(ctx context.Context, name string, batch service.MessageBatch) (out service.MessageBatch, allocs float64, err error) {
	accessed := s.resources.AccessProcessor(ctx, name, func(p *service.ResourceProcessor) {
		allocs = mallocs(func() {
			var batches []service.MessageBatch
			if batches, err = p.ProcessBatch(ctx, batch); err == nil {
				out = batches[0]
			}
		}) / budgetBatch
	})
	return out, allocs, errors.Join(accessed, err)
}

func mallocs(do func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}

// once measures every part over one chunk.
func (s *stages) once(ctx context.Context) ([]budget, error) {
	var err error
	scan := mallocs(func() {
		for _, body := range s.bodies {
			if _, failed := s.arena.Scan(s.scanner, body); failed != nil {
				err = failed
			}
		}
	}) / budgetBatch
	if err != nil {
		return nil, err
	}
	list := []budget{{"strict scan", budgetScan, scan}}
	_, allocs, err := s.process(ctx, "contract", s.chunk())
	if err != nil {
		return nil, err
	}
	list = append(list, budget{"`contract`", budgetContract, allocs})
	judged, allocs, err := s.process(ctx, "consent", s.chunk())
	if err != nil {
		return nil, err
	}
	list = append(list, budget{"`consent`", budgetConsent, allocs})
	_, allocs, err = s.process(ctx, "redact", judged)
	return append(list, budget{"`redact`", budgetRedact, allocs}), err
}

// serveBudget measures in a process of its own: after a few rounds all slabs and pools are there.
func serveBudget() error {
	dir, err := os.MkdirTemp("", "ebbgate-budget-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := newStages(dir)
	if err != nil {
		return err
	}
	var list []budget
	for range 20 {
		if list, err = s.once(context.Background()); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(list)
}

// measureBudgets measures what the processors and the sink allocate; the whole job tells for itself.
func measureBudgets(ctx context.Context) (list []budget, err error) {
	out, err := output(ctx, roleBudget)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, err
	}
	encode, err := benchmarked(ctx, "./plugins/clickhouse", "BenchmarkBuildRows", "allocs/event")
	return append(list, budget{"columns of the sink", budgetEncode, encode}), err
}

// benchmarked runs one benchmark of a package and returns a figure of it.
func benchmarked(ctx context.Context, pkg, name, unit string) (float64, error) {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchtime", "20x", pkg).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("running %s: %w: %s", name, err, out)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, name) {
			continue
		}
		fields := strings.Fields(line)
		for i := 1; i < len(fields); i++ {
			if fields[i] == unit {
				return strconv.ParseFloat(fields[i-1], 64)
			}
		}
	}
	return 0, fmt.Errorf("running %s: it printed no %s", name, unit)
}

func (r *report) budgetTable() string {
	list := r.budgets
	if runs := r.runs[packedName]; len(runs) > 0 {
		list = append(list, budget{"the whole job, packed", budgetJob, r.mallocs(packedName)})
	}
	var b strings.Builder
	b.WriteString("| part | budget | measured | |\n|---|---|---|---|\n")
	for _, x := range list {
		verdict := "kept"
		if x.Measured > x.Limit {
			verdict = "**exceeded**"
		}
		fmt.Fprintf(&b, "| %s | %g | %.2f | %s |\n", x.Name, x.Limit, x.Measured, verdict)
	}
	return b.String()
}
