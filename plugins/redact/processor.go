package redact

import (
	"context"
	"fmt"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

const rdFieldAllowanceSample = "allowance_sample"

// Codes of events that cannot be redacted because of how the stream is wired.
const (
	codeNoJudgement = "redact.no_judgement"
	codeNoContract  = "redact.no_contract"
)

func processorSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Utility").
		Version("0.1.0").
		Summary("Turns each judged event into one sealed record per destination that may have it, and every denial into a decision record.").
		Description(`
It needs the `+"`consent`"+` processor right before it: an event without a judgement, or one whose bytes changed since it was judged, is
quarantined as `+"`redact.no_judgement`"+`. Put mappings that enrich events before `+"`consent`"+`.

One message becomes several, each with metadata `+"`topic`"+` and `+"`key`"+`: one per destination (the topic that `+"`topics.yaml`"+` gives
it), one per denial (the topic with role decisions), and decision records for a sample of the allowances. End the stream in one
`+"`redpanda`"+` output with `+"`topic: ${! @topic }`"+`, so that a chunk is acknowledged only when all of it is durable.`).
		Fields(
			stage.WorkspaceField(),
			service.NewFloatField(rdFieldAllowanceSample).
				Description("The share of allowances that get a decision record too, from 0 to 1. Denials always do. The choice depends on the event id alone, so a replay makes the same one.").
				Default(0.01).
				LintRule(`root = if this < 0 || this > 1 { "allowance_sample must lie between 0 and 1" }`),
		).
		Example("The govern stage", "", `
pipeline:
  processors:
    - consent:
        stage: govern
        state:
          seed_brokers: [ "127.0.0.1:9092" ]
    - redact: {}
output:
  redpanda:
    seed_brokers: [ "127.0.0.1:9092" ]
    topic: ${! @topic }
    key: ${! @key }
`)
}

// Register adds the processor to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchProcessor("redact", processorSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchProcessor, error) {
		return newProcessor(conf, mgr)
	})
}

type processor struct {
	guard    *stage.Guard
	readers  stage.ReaderPool
	redactor *redactor
	workers  sync.Pool
}

func newProcessor(conf *service.ParsedConfig, mgr *service.Resources) (*processor, error) {
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	sample, err := conf.FieldFloat(rdFieldAllowanceSample)
	if err != nil {
		return nil, err
	}
	r, err := newRedactor(rt, sample)
	if err != nil {
		return nil, err
	}
	p := &processor{
		guard:    stage.NewGuard(stage.StageGovern, rt),
		readers:  stage.NewReaderPool(rt.Workspace.Dict, event.DefaultLimits),
		redactor: r,
	}
	p.workers.New = func() any { return r.worker() }
	return p, nil
}

// ProcessBatch redacts every message and never fails.
func (p *processor) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	reader, w := p.readers.Get(), p.workers.Get().(*worker)
	defer p.readers.Put(reader)
	defer p.workers.Put(w)
	out := p.guard.Batch(batch, func(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
		ix, err := reader.Index(msg)
		if err != nil {
			return out, err
		}
		j, ok := stage.JudgementOf(msg, ix)
		if !ok {
			return out, stage.Misrouted(codeNoJudgement, "consent")
		}
		return w.redact(msg, j, out)
	})
	w.report()
	return []service.MessageBatch{out}, nil
}

// Close has nothing to release.
func (p *processor) Close(context.Context) error { return nil }

// requireTopic returns the topic a destination's records go to.
func requireTopic(set *topics.Set, destination string) (string, error) {
	t, ok := set.ByDestination(destination)
	if !ok {
		return "", fmt.Errorf("topics.yaml: no topic has destination: %s: declare one, or remove the destination from policy.yaml", destination)
	}
	return t.Name, nil
}
