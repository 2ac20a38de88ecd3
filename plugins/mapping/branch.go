package mapping

import (
	"context"
	"errors"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"
)

func branchSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Composition").
		Version("0.1.0").
		Summary("Maps a request from each message, runs processors on it, and maps the result back into the message.").
		Description("As the engine's own, except that a map that fails never quotes the event, and that a map sees its message alone, not the batch.").
		Fields(
			service.NewBloblangField("request_map").Description("Makes the request. Empty: a copy of the message. `deleted()`: none for this message.").Default(""),
			service.NewProcessorListField("processors").Description("What to do with requests. One result must come of each."),
			service.NewBloblangField("result_map").Description("Maps the result into the message. Empty: the message stays as it was.").Default(""),
		)
}

type branch struct {
	request, result *bloblang.Executor // nil where there is none
	processors      []*service.OwnedProcessor
	log             *service.Logger
}

func newBranch(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchProcessor, error) {
	b := &branch{log: mgr.Logger()}
	var err error
	if b.request, err = optional(conf, "request_map"); err != nil {
		return nil, err
	}
	if b.result, err = optional(conf, "result_map"); err != nil {
		return nil, err
	}
	if b.processors, err = conf.FieldProcessorList("processors"); err != nil {
		return nil, err
	}
	if len(b.processors) == 0 {
		return nil, errors.New("reading a branch: it has no processors: use noop to do nothing")
	}
	return b, nil
}

var errDiverged = errors.New("the processors of a branch must give one message for each: filter and split before or after the branch")

// ProcessBatch changes the messages in place and keeps all of them.
func (b *branch) ProcessBatch(ctx context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	var requests service.MessageBatch
	var of []int // positions of their messages
	for i, msg := range batch {
		request, err := b.requestOf(msg)
		if err != nil {
			flag(b.log, msg, "the request map of a branch", err)
		} else if request != nil {
			requests, of = append(requests, request), append(of, i)
		}
	}
	all := []service.MessageBatch{batch}
	if len(requests) == 0 {
		return all, nil
	}
	batches, err := service.ExecuteProcessors(ctx, b.processors, requests)
	if err != nil {
		return nil, err
	}
	var results service.MessageBatch
	for _, next := range batches {
		results = append(results, next...)
	}
	if len(results) != len(requests) {
		b.log.Errorf("%v", errDiverged)
		for _, msg := range batch {
			msg.SetError(errDiverged)
		}
		return all, nil
	}
	for k, result := range results {
		batch[of[k]] = b.overlay(batch[of[k]], result)
	}
	return all, nil
}

func (b *branch) requestOf(msg *service.Message) (*service.Message, error) {
	request := msg.Copy()
	request.SetError(nil)
	if b.request == nil {
		return request, nil
	}
	request.SetBytes(nil)
	return request.BloblangMutateFrom(b.request, msg)
}

// overlay returns what the message is with its result, or the message flagged.
func (b *branch) overlay(msg, result *service.Message) *service.Message {
	if failed := result.GetError(); failed != nil {
		msg.SetError(fmt.Errorf("a processor of a branch failed: %w", failed))
		return msg
	}
	if b.result == nil {
		return msg
	}
	mapped, err := msg.BloblangMutateFrom(b.result, result)
	if err != nil {
		flag(b.log, msg, "the result map of a branch", err)
	}
	if err != nil || mapped == nil {
		return msg
	}
	return mapped
}

// Close closes the processors.
func (b *branch) Close(ctx context.Context) error { return closeAll(ctx, b.processors) }
