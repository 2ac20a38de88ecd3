package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

const idFieldProviderID = "provider_id"

func processorSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Utility").
		Version("0.1.0").
		Summary("Checks the envelope, gives the event a deterministic `event_id`, and stamps who it is about as a pseudonym.").
		Description(`
Put it last before the output that fills `+"`events.raw`"+`. An event keeps the `+"`event_id`"+` its source gave. Without one
the id is derived from the source and `+"`provider_id`"+`, or, where that is empty too, from the body: a retried event always
gets the same id.

Metadata set: `+"`topic`"+` (the topic with role raw, or quarantine), `+"`key`"+`, `+"`event_id`"+`, `+"`subject_key`"+`, `+"`correlation_id`"+`, and `+"`content_digest`"+` where the event was completed.`).
		Fields(stage.WorkspaceField(), stage.ReloadField()).
		Field(service.NewInterpolatedStringField(idFieldProviderID).
			Description("The id the source gives the event outside its body, such as a delivery header.").
			Example(`${! @delivery_id }`).
			Default("")).
		Fields(stage.TimeLimitFields()...).
		Example("From a foreign topic", "GitHub deliveries have their id in a header.", `
pipeline:
  processors:
    - strict_json: {}
    - mapping: |
        root.event_name = "github_activity"
        root.timestamp = this.head_commit.timestamp
        root.subject.user_id = this.sender.id.string()
        root.context.source = "github"
    - identity:
        provider_id: ${! metadata("x-github-delivery") }
`)
}

// Register adds the processor to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchProcessor("identity", processorSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchProcessor, error) {
		return newProcessor(conf, mgr)
	})
}

type processor struct {
	guard      *stage.Guard
	ring       *keys.Ring
	topic      string
	limits     event.TimeLimits
	providerID *service.InterpolatedString
	rules      *stage.Part[stage.ReaderPool]
}

func newProcessor(conf *service.ParsedConfig, mgr *service.Resources) (*processor, error) {
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	raw, ok := rt.Topics.ByRole(topics.Raw)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role raw: add events.raw with role: raw", rt.Dir)
	}
	p := &processor{
		guard: stage.NewGuard(stage.StageIngest, rt),
		ring:  rt.Ring,
		topic: raw.Name,
	}
	if p.limits, err = stage.TimeLimits(conf); err != nil {
		return nil, err
	}
	if p.providerID, err = conf.FieldInterpolatedString(idFieldProviderID); err != nil {
		return nil, err
	}
	p.rules, err = stage.NewPart(rt, func(r *stage.Rules) (stage.ReaderPool, error) { return r.NewReaderPool(), nil }, nil)
	return p, err
}

// ProcessBatch stamps every message and never fails.
func (p *processor) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	batch, packing := stage.Unpack(batch)
	_, readers := p.rules.Now()
	reader := readers.Get()
	defer readers.Put(reader)
	now, taken := time.Now(), providerIDs{}
	for _, msg := range batch {
		stage.ForgetOrigin(msg)
		msg.MetaDelete(stage.MetaContentDigest) // a sender may not choose this either
	}
	return packing.Batches(p.guard.Batch(batch, func(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
		return append(out, msg), p.stamp(msg, reader, taken, now)
	})), nil
}

func (p *processor) stamp(msg *service.Message, reader *stage.Reader, taken providerIDs, now time.Time) error {
	ix, err := reader.Index(msg)
	if err != nil {
		return err
	}
	if fault := event.CheckEnvelope(ix, now, p.limits); fault != nil {
		return fault
	}
	body, err := p.complete(msg, ix, taken)
	if err != nil {
		return err
	}
	if body != nil {
		msg.MetaSet(stage.MetaContentDigest, digest(ix.Buf)) // the time of arrival differs when it is sent again
		msg.SetBytes(body)
		if ix, err = reader.Index(msg); err != nil {
			return err
		}
	}
	reader.Address(msg, ix, reader.SubjectOf(msg, ix, p.ring), p.topic)
	return nil
}

// digest is the content of an event as it was sent.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

// complete returns the envelope with the id and arrival time it lacks, or nil when it lacks nothing.
func (p *processor) complete(msg *service.Message, ix *event.Index, taken providerIDs) ([]byte, error) {
	_, hasID := ix.Get(event.EventID)
	_, hasReceived := ix.Get(event.ReceivedAt)
	if hasID && hasReceived {
		return nil, nil
	}
	id := ""
	if !hasID {
		var err error
		if id, err = p.deriveID(msg, ix, taken); err != nil {
			return nil, err
		}
	}
	return event.AppendComplete(make([]byte, 0, len(ix.Buf)+96), ix, id, stage.ReceivedAt(msg)), nil
}

func (p *processor) deriveID(msg *service.Message, ix *event.Index, taken providerIDs) (string, error) {
	source, _ := ix.Get(event.ContextSource)
	providerID, err := p.providerID.TryString(msg)
	if err != nil {
		return "", &event.Fault{Code: "identity.provider_id", Remedy: "mend the interpolation of provider_id"}
	}
	if providerID != "" {
		if !taken.take(msg, providerID) {
			return "", &event.Fault{Code: "identity.shared_provider_id", Remedy: "give each part of a record an id of its own in provider_id, then replay the event"}
		}
		return event.DeriveID(source.String(), providerID), nil
	}
	return event.DeriveIDFromBody(source.String(), ix), nil
}

// providerIDs are those of one batch, by the record they came with. Parts that were split from one record would be taken
// for repeats of each other if they shared an id.
type providerIDs map[providerIDAt]bool

type providerIDAt struct {
	record quarantine.Ref
	id     string
}

func (t providerIDs) take(msg *service.Message, id string) bool {
	record, ok := stage.Source(msg)
	at := providerIDAt{record, id}
	if !ok || t[at] {
		return !ok
	}
	t[at] = true
	return true
}

// Close lets go of the workspace.
func (p *processor) Close(context.Context) error {
	p.rules.Close()
	return nil
}
