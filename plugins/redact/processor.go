package redact

import (
	"context"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

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
			stage.ReloadField(),
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
	guard *stage.Guard
	rules *stage.Part[*redactor]
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
	p := &processor{guard: stage.NewGuard(stage.StageGovern, rt)}
	build := redactors(rt, sample)
	p.rules, err = stage.NewPart(rt, build, nil)
	return p, err
}

// ProcessBatch redacts every message and never fails.
func (p *processor) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	batch, packing := stage.Unpack(batch)
	rules, r := p.rules.ForBatch(batch)
	w := r.workers.Get().(*worker)
	defer r.workers.Put(w)
	out := p.guard.Batch(batch, func(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
		body, err := msg.AsBytes()
		if err != nil {
			return out, err
		}
		if p.rules.Strays(msg, rules) {
			return out, stage.ErrStray
		}
		j, ok := stage.JudgementOf(msg, body)
		if !ok || j.Rules != rules {
			return out, r.unjudged(msg)
		}
		return w.redact(msg, j, out)
	})
	w.report()
	return packing.Batches(out), nil
}

// Close lets go of the workspace.
func (p *processor) Close(context.Context) error {
	p.rules.Close()
	return nil
}

// requireTopic returns the topic a destination's records go to.
func requireTopic(set *topics.Set, destination string) (string, error) {
	t, ok := set.ByDestination(destination)
	if !ok {
		return "", fmt.Errorf("topics.yaml: no topic has destination: %s: declare one, or remove the destination from policy.yaml", destination)
	}
	return t.Name, nil
}
