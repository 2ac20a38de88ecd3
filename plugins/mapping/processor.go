package mapping

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/stage"
)

// apply maps message i of a batch; a nil message was deleted.
type apply func(exec *service.MessageBatchBloblangExecutor, i int) (*service.Message, error)

// processors are the engine's three ways to map, by name.
var processors = []struct {
	name    string
	summary string
	apply   apply
}{
	{"mapping", "Executes a Bloblang mapping on messages, creating a new document that replaces the original.", (*service.MessageBatchBloblangExecutor).Query},
	{"bloblang", "Executes a Bloblang mapping on messages; the older name of mapping.", (*service.MessageBatchBloblangExecutor).Query},
	{"mutation", "Executes a Bloblang mapping on messages, changing the original document in place.", (*service.MessageBatchBloblangExecutor).Mutate},
}

// Replace registers the processors over the engine's own.
func Replace(env *service.Environment) error {
	for _, p := range processors {
		spec := service.NewConfigSpec().
			Stable().
			Categories("Mapping", "Parsing").
			Version("0.1.0").
			Summary(p.summary).
			Description("As the engine's own, except that a failure is told by the line of the mapping and never quotes the event.").
			Field(service.NewBloblangField("").Description("The mapping, or `from \"file.blobl\"`."))
		err := env.RegisterBatchProcessor(p.name, spec, func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchProcessor, error) {
			exec, err := conf.FieldBloblang()
			if err != nil {
				return nil, err
			}
			return &processor{exec: exec, apply: p.apply, log: mgr.Logger()}, nil
		})
		if err != nil {
			return fmt.Errorf("replacing %s: %w", p.name, err)
		}
	}
	return errors.Join(env.RegisterBatchProcessor("switch", switchSpec(), newSwitch), env.RegisterBatchProcessor("branch", branchSpec(), newBranch))
}

// made tells whether a stage has made the message a record of its own, or nothing at all.
func made(msg *service.Message) bool {
	now := stage.Inspect(msg)
	return now.Finished() || now.Settled()
}

type processor struct {
	exec  *bloblang.Executor
	apply apply
	log   *service.Logger
}

// ProcessBatch maps every message. One that fails goes on flagged, with an error that holds no value.
func (p *processor) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	exec := batch.BloblangExecutor(p.exec)
	out := make(service.MessageBatch, 0, len(batch))
	for i, msg := range batch {
		if made(msg) {
			out = append(out, msg)
			continue
		}
		mapped, err := p.apply(exec, i)
		switch {
		case err != nil:
			flag(p.log, msg, "the mapping", err)
			out = append(out, msg)
		case mapped != nil:
			out = append(out, mapped)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return []service.MessageBatch{out}, nil
}

// Close has nothing to release.
func (p *processor) Close(context.Context) error { return nil }

var line = regexp.MustCompile(`\(line (\d+)\)`)

// flag logs and marks the failure of a mapping. It tells where that failed and not why: the reason quotes what was read.
func flag(log *service.Logger, msg *service.Message, what string, reason error) {
	const hint = "; to see why, run it on a synthetic event with `ebbgate blobl`"
	err := errors.New(what + " failed" + hint)
	if at := line.FindStringSubmatch(reason.Error()); at != nil {
		err = errors.New(what + " failed on line " + at[1] + hint)
	}
	log.Errorf("%v", err)
	msg.SetError(err)
}
