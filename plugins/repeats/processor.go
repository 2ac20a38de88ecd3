package repeats

import (
	"cmp"
	"context"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/repeats"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// errConflict is the fault of an event under the id of another.
var errConflict = &event.Fault{
	Code: "event.id_conflict", Path: "event_id",
	Remedy: "another event with this id came before it: have the sender give each event an id of its own",
}

// errNoPosition is the fault of a record of which it is not known where it lies: that decides what it repeats.
var errNoPosition = &event.Fault{
	Code: "repeats.no_position", Remedy: "put repeats first, after this distribution's redpanda input, then replay the event",
}

type processor struct {
	ingest    *stage.Guard
	validate  *stage.Guard
	rt        *stage.Runtime
	memory    *memory
	client    *kafka.Client
	window    int64
	removed   *service.MetricCounter
	conflicts *service.MetricCounter
	readBacks *service.MetricCounter
}

func newProcessor(conf *service.ParsedConfig, mgr *service.Resources) (*processor, error) {
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	window, err := conf.FieldInt(reFieldWindow)
	if err != nil {
		return nil, err
	}
	client, err := kafka.ParseClient(conf, mgr)
	if err != nil {
		return nil, err
	}
	m := mgr.Metrics()
	return &processor{
		ingest: stage.NewGuard(stage.StageIngest, rt), validate: stage.NewGuard(stage.StageValidate, rt),
		rt: rt, memory: shareMemory(mgr), client: client, window: int64(window),
		removed:   m.NewCounter("ebbgate_repeats_removed_total", "topic"),
		conflicts: m.NewCounter("ebbgate_id_conflicts_total", "topic"),
		readBacks: m.NewCounter("ebbgate_repeats_read_back_total", "topic"),
	}, nil
}

// ProcessBatch judges every record of the chunk and never fails. It blocks while the window is read back.
func (p *processor) ProcessBatch(ctx context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	batch, packing := stage.Unpack(batch)
	at, ok := stage.PositionOf(batch[0])
	if !ok {
		return packing.Batches(p.validate.Batch(batch, func(_ *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
			return out, errNoPosition
		})), nil
	}
	chunk := at.Chunk
	part := p.memory.partition(chunk, p.window)
	part.Lock()
	defer part.Unlock()
	waits := p.begin(ctx, part, chunk)
	guard := p.guard(chunk.Topic)
	return packing.Batches(guard.Batch(batch, func(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
		if waits != nil {
			return out, waits
		}
		return append(out, msg), p.judge(msg, chunk, part.log, guard)
	})), nil
}

// guard is that of the stage that reads a topic.
func (p *processor) guard(topic string) *stage.Guard {
	if t, ok := p.rt.Topics.Topic(topic); ok && t.Role == topics.Inbound {
		return p.ingest
	}
	return p.validate
}

// begin brings the log to a chunk, unless it stands there because the engine gave the chunk in parts.
func (p *processor) begin(ctx context.Context, part *partition, chunk *stage.Chunk) error {
	if part.at == chunk {
		return nil
	}
	if !part.log.Begin(chunk.First, chunk.Last) {
		p.readBacks.Incr(1, chunk.Topic)
		if err := p.readBack(ctx, chunk, part.log); err != nil {
			return fmt.Errorf("%w: reading back %s/%d: %w", stage.ErrWait, chunk.Topic, chunk.Partition, err)
		}
		part.log.Begin(chunk.First, chunk.Last)
	}
	part.at = chunk
	return nil
}

func (p *processor) judge(msg *service.Message, chunk *stage.Chunk, log *repeats.Log, guard *stage.Guard) error {
	at, ok := stage.PositionOf(msg)
	if !ok || at.Chunk != chunk {
		return errNoPosition
	}
	if replay, _ := msg.MetaGet(stage.MetaReplayID); replay != "" {
		return nil
	}
	id, content, err := identify(msg)
	if err != nil {
		return err
	}
	switch log.Judge(p.memory.hasher.Sight(at.Offset, id, content)) {
	case repeats.Duplicate:
		stage.MarkSettled(msg)
		p.removed.Incr(1, chunk.Topic)
	case repeats.Conflict:
		guard.QuarantineAs(msg, id, errConflict)
		p.conflicts.Incr(1, chunk.Topic)
	}
	return nil
}

// readBack learns the window before a chunk. What retention has deleted is not there to be repeated.
func (p *processor) readBack(ctx context.Context, c *stage.Chunk, log *repeats.Log) error {
	err := p.client.ReadBack(ctx, c.Topic, c.Partition, log.From(c.First), c.First, func(r kafka.Past) {
		if len(r.Header(stage.MetaReplayID)) > 0 {
			return
		}
		id := cmp.Or(string(r.Header(stage.MetaEventID)), string(r.Key()))
		content := r.Header(stage.MetaContentDigest)
		if len(content) == 0 {
			content = r.Value()
		}
		log.Learn(p.memory.hasher.Sight(r.Offset(), id, content))
	})
	if err == nil {
		log.Learned(c.First)
	}
	return err
}

// identify takes from a message what is taken from its record when it is read back.
func identify(msg *service.Message) (id string, content []byte, err error) {
	id, _ = msg.MetaGet(stage.MetaEventID)
	if id == "" {
		id, _ = msg.MetaGet(stage.MetaKafkaKey)
	}
	if digest, _ := msg.MetaGet(stage.MetaContentDigest); digest != "" {
		return id, []byte(digest), nil
	}
	content, err = msg.AsBytes()
	return id, content, err
}

// Close has nothing to release: what is remembered serves the next stream that reads the topic.
func (p *processor) Close(context.Context) error { return nil }
