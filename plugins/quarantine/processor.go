package quarantine

import (
	"context"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/stage"
)

const quFieldCode = "code"

func processorSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Utility").
		Version("0.1.0").
		Summary("Quarantines every message it gets, under a code of yours.").
		Description(`
Put it where a stream does not know what to do with a message, such as the last case of a `+"`switch`"+`. Dropping it there would lose
it; an error would quarantine it as `+"`upstream_failed`"+`, which says little. The record's payload is encrypted, and it can be
replayed when the stream knows its kind.

The output after it must write to `+"`${! @topic }`"+`.`).
		Fields(
			stage.WorkspaceField(),
			service.NewStringField(quFieldCode).
				Description("What is wrong with such messages: two or more words of small letters, digits and _, with dots between them. It goes into the record, its headers and a metric, so use few and never one made of data.").
				Example("webhook.unmapped").
				LintRule(`root = if !this.re_match("^[a-z][a-z0-9_]*(\\.[a-z0-9_]+)+$") { "code must be words with dots between them, such as webhook.unmapped" }`),
		).
		Example("What nobody maps", "Each provider has its mapping, and any other delivery is kept aside.", `
pipeline:
  processors:
    - strict_json: {}
    - switch:
        - check: '@webhook_provider == "stripe"'
          processors:
            - mapping: |
                root.event_name = this.type.replace_all(".", "_")
                root.timestamp = this.created.ts_format("2006-01-02T15:04:05Z")
                root.subject.user_id = this.data.object.customer
                root.context.source = @webhook_source
        - processors:
            - quarantine: { code: webhook.unmapped }
    - identity:
        provider_id: ${! @webhook_id }
`)
}

// Register adds the processor to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchProcessor("quarantine", processorSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchProcessor, error) {
		return newProcessor(conf, mgr)
	})
}

type processor struct {
	guard *stage.Guard
	fault error
}

func newProcessor(conf *service.ParsedConfig, mgr *service.Resources) (*processor, error) {
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	code, err := conf.FieldString(quFieldCode)
	if err != nil {
		return nil, err
	}
	return &processor{guard: stage.NewGuard(stage.StageIngest, rt), fault: &event.Fault{Code: code}}, nil
}

// ProcessBatch quarantines every message and never fails.
func (p *processor) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	batch, packing := stage.Unpack(batch)
	return packing.Batches(p.guard.Batch(batch, func(_ *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
		return out, p.fault
	})), nil
}

// Close has nothing to release.
func (p *processor) Close(context.Context) error { return nil }
