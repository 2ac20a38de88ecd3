package contract

import (
	"context"
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

func processorSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Utility").
		Version("0.1.0").
		Summary("Holds every event to its contract: strict JSON, a valid envelope, declared properties of the declared types.").
		Description(`
The event's `+"`event_name`"+` and `+"`context.schema_version`"+` select its contract among those in the workspace: the exact version,
else the newest known one of the same major. An unknown event or major version is quarantined.

Undeclared properties never pass: they are removed and counted (`+"`ebbgate_undeclared_removed_total`"+`), or the event is
quarantined, as the contract's `+"`undeclared`"+` says. A fault quarantines the event with a code such as `+"`contract.type`"+`; the
record names the field, never the value, and its payload is encrypted.

Metadata set: `+"`topic`"+` (the topic with role validated, or quarantine), `+"`key`"+`, `+"`event_id`"+`, `+"`subject_key`"+`, `+"`correlation_id`"+`.`).
		Fields(stage.WorkspaceField(), stage.ReloadField()).
		Fields(stage.TimeLimitFields()...).
		Example("The validate stage", "Events that keep their contract and may be stored go on, all others to quarantine or to the decisions.", `
pipeline:
  processors:
    - contract: {}
    - consent:
        stage: validate
        state:
          seed_brokers: [ "127.0.0.1:9092" ]
output:
  redpanda:
    seed_brokers: [ "127.0.0.1:9092" ]
    topic: ${! @topic }
    key: ${! @key }
`)
}

// Register adds the processor to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchProcessor("contract", processorSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchProcessor, error) {
		return newProcessor(conf, mgr)
	})
}

type processor struct {
	guard   *stage.Guard
	rt      *stage.Runtime
	topic   string
	limits  event.TimeLimits
	rules   *stage.Part[*judge]
	removed *service.MetricCounter
}

// judge is made of one generation of contracts.
type judge struct {
	contracts *contract.Set
	readers   stage.ReaderPool
	drift     *drift
}

func newProcessor(conf *service.ParsedConfig, mgr *service.Resources) (*processor, error) {
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	validated, ok := rt.Topics.ByRole(topics.Validated)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role validated: add events.validated with role: validated", rt.Dir)
	}
	p := &processor{
		guard:   stage.NewGuard(stage.StageValidate, rt),
		rt:      rt,
		topic:   validated.Name,
		removed: mgr.Metrics().NewCounter("ebbgate_undeclared_removed_total", "event"),
	}
	if p.limits, err = stage.TimeLimits(conf); err != nil {
		return nil, err
	}
	drifted := driftCounter(mgr.Metrics())
	p.rules, err = stage.NewPart(rt, func(r *stage.Rules) (*judge, error) {
		return &judge{contracts: r.Contracts, readers: r.NewReaderPool(), drift: newDrift(r.Workspace, drifted)}, nil
	}, nil)
	return p, err
}

// ProcessBatch judges every message and never fails.
func (p *processor) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	batch, packing := stage.Unpack(batch)
	_, j := p.rules.Now()
	reader := j.readers.Get()
	defer j.readers.Put(reader)
	var res contract.Result
	now, seen := time.Now(), sightings{}
	defer j.drift.report(&seen)
	return packing.Batches(p.guard.Batch(batch, func(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
		return append(out, msg), p.check(msg, j, reader, &res, now, &seen)
	})), nil
}

func (p *processor) check(msg *service.Message, j *judge, reader *stage.Reader, res *contract.Result, now time.Time, seen *sightings) error {
	ix, err := reader.Index(msg)
	if err != nil {
		return err
	}
	if fault := event.CheckEnvelope(ix, now, p.limits); fault != nil {
		return fault
	}
	if _, ok := ix.Get(event.EventID); !ok {
		return stage.Misrouted("envelope.event_id", "identity")
	}
	agreed, fault := j.contracts.For(ix)
	if fault != nil {
		return fault
	}
	agreed.Check(ix, res)
	j.drift.note(seen, agreed.Event, ix, res)
	if len(res.Faults) > 0 {
		return &res.Faults[0]
	}
	if len(res.Remove) > 0 {
		msg.SetBytes(contract.AppendWithout(make([]byte, 0, len(ix.Buf)), ix, res.Remove))
		p.removed.Incr(int64(len(res.Remove)), agreed.Event)
		if ix, err = reader.Index(msg); err != nil {
			return err
		}
	}
	reader.Address(msg, ix, reader.SubjectOf(msg, ix, p.rt.Ring), p.topic)
	return nil
}

// Close lets go of the workspace.
func (p *processor) Close(context.Context) error {
	p.rules.Close()
	return nil
}
