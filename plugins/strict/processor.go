package strict

import (
	"context"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/stage"
)

const (
	sjFieldMaxBytes = "max_bytes"
	sjFieldMaxKeys  = "max_keys"
	sjFieldArrays   = "arrays"
)

// What to do with a body that is an array.
const (
	arraysRefuse = "refuse"
	arraysSplit  = "split"
)

func processorSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Utility").
		Version("0.1.0").
		Summary("Lets only strict JSON objects pass, byte for byte, and quarantines everything else.").
		Description(`
Put it before any mapping of foreign JSON. Different parsers disagree on duplicate names, invalid UTF-8, lone surrogates
and trailing data, and that disagreement is how redaction is bypassed; this processor refuses all of them on the raw
bytes.

A refused message becomes a quarantine record (metadata `+"`topic`"+` names the quarantine topic) whose payload is
encrypted; the code says which rule it broke. The rest of the batch goes on.

Where a sender puts several events into one array, `+"`arrays: split`"+` makes a message of each element, byte for byte and with the
metadata of the whole. Each is checked by itself: a bad element goes to quarantine alone. Give each an id of its own in
`+"`provider_id`"+` of `+"`identity`"+`.`).
		Fields(
			stage.WorkspaceField(),
			service.NewIntField(sjFieldMaxBytes).
				Description("The largest body, in bytes.").
				Default(event.DefaultLimits.MaxBytes).
				LintRule(`root = if this <= 0 { "max_bytes must be positive" }`),
			service.NewIntField(sjFieldMaxKeys).
				Description("The most names one object may have.").
				Default(event.DefaultLimits.MaxKeys).
				Advanced().
				LintRule(`root = if this <= 0 { "max_keys must be positive" }`),
			service.NewStringAnnotatedEnumField(sjFieldArrays, map[string]string{
				arraysRefuse: "A body that is an array is quarantined.",
				arraysSplit:  "Every element becomes a message.",
			}).
				Description("What to do with a body that is an array.").
				Default(arraysRefuse),
		).
		Example("Before a mapping", "Foreign JSON is checked first, then mapped into the envelope.", `
pipeline:
  processors:
    - strict_json: {}
    - mapping: |
        root.event_name = this.type
        root.timestamp = this.at
        root.subject.user_id = this.user
        root.context.source = "billing"
    - identity: {}
`)
}

// Register adds the processor to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchProcessor("strict_json", processorSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchProcessor, error) {
		return newProcessor(conf, mgr)
	})
}

type processor struct {
	guard   *stage.Guard
	limits  event.Limits
	split   bool
	readers stage.ReaderPool
}

func newProcessor(conf *service.ParsedConfig, mgr *service.Resources) (*processor, error) {
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	limits := event.DefaultLimits
	if limits.MaxBytes, err = conf.FieldInt(sjFieldMaxBytes); err != nil {
		return nil, err
	}
	if limits.MaxKeys, err = conf.FieldInt(sjFieldMaxKeys); err != nil {
		return nil, err
	}
	arrays, err := conf.FieldString(sjFieldArrays)
	if err != nil {
		return nil, err
	}
	// Foreign JSON has names of its own, so none of ours is governed yet.
	dict, err := event.NewDictionary()
	if err != nil {
		return nil, err
	}
	return &processor{
		guard: stage.NewGuard(stage.StageIngest, rt), limits: limits, split: arrays == arraysSplit, readers: stage.NewReaderPool(dict, limits),
	}, nil
}

// ProcessBatch checks every message and never fails.
func (p *processor) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	batch, packing := stage.Unpack(batch)
	if p.split {
		batch = p.guard.Batch(batch, p.elements)
	}
	reader := p.readers.Get()
	defer p.readers.Put(reader)
	return packing.Batches(p.guard.Batch(batch, func(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
		_, err := reader.Index(msg)
		return append(out, msg), err
	})), nil
}

// Close has nothing to release.
func (p *processor) Close(context.Context) error { return nil }
