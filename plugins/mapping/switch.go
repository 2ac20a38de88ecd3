package mapping

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"
)

func switchSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Composition").
		Version("0.1.0").
		Summary("Runs the processors of the first case whose check holds for a message.").
		Description("As the engine's own, except that a check that fails never quotes the event, and that what falls through the last case goes on.").
		Field(service.NewObjectListField("",
			service.NewBloblangField("check").Description("A query that gives true or false. Empty: always true. A message it fails on is flagged and meets no further case.").Default(""),
			service.NewProcessorListField("processors").Description("What to do with messages of this case.").Default([]any{}),
			service.NewBoolField("fallthrough").Description("Go on to the next case without its check.").Advanced().Default(false),
			service.NewBoolField("continue").Description("Go on to the check of the next case.").Advanced().Default(false),
		))
}

type switched struct {
	cases []oneCase
	log   *service.Logger
}

type oneCase struct {
	check      *bloblang.Executor // nil: always
	processors []*service.OwnedProcessor
	falls      bool
	continues  bool
}

func newSwitch(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchProcessor, error) {
	list, err := conf.FieldObjectList()
	if err != nil {
		return nil, err
	}
	s := &switched{cases: make([]oneCase, len(list)), log: mgr.Logger()}
	for i, conf := range list {
		if s.cases[i], err = newCase(conf); err != nil {
			return nil, fmt.Errorf("reading case %d of a switch: %w", i, err)
		}
	}
	return s, nil
}

func newCase(conf *service.ParsedConfig) (c oneCase, err error) {
	if c.check, err = optional(conf, "check"); err != nil {
		return c, err
	}
	if c.processors, err = conf.FieldProcessorList("processors"); err != nil {
		return c, err
	}
	if c.falls, err = conf.FieldBool("fallthrough"); err != nil {
		return c, err
	}
	if c.continues, err = conf.FieldBool("continue"); err != nil {
		return c, err
	}
	switch {
	case len(c.processors) == 0:
		err = errors.New("it has no processors: use noop to do nothing")
	case c.falls && c.continues:
		err = errors.New("fallthrough and continue exclude each other")
	}
	return c, err
}

// optional reads a mapping that may be empty, which gives nil.
func optional(conf *service.ParsedConfig, name string) (*bloblang.Executor, error) {
	if text, err := conf.FieldString(name); err != nil || text == "" {
		return nil, err
	}
	return conf.FieldBloblang(name)
}

// ProcessBatch keeps the order of the messages.
func (s *switched) ProcessBatch(ctx context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	index := batch.Index()
	var done, remaining, fallen service.MessageBatch
	for _, msg := range batch {
		if made(msg) {
			done = append(done, msg)
		} else {
			remaining = append(remaining, msg)
		}
	}
	for i := range s.cases {
		c := &s.cases[i]
		passed := fallen
		fallen = nil
		var others service.MessageBatch
		exec := c.executor(remaining)
		for j, msg := range remaining {
			holds, err := c.test(exec, j)
			switch {
			case err != nil:
				flag(s.log, msg, fmt.Sprintf("the check of case %d", i), err)
				done = append(done, msg)
			case holds:
				passed = append(passed, msg)
			default:
				others = append(others, msg)
			}
		}
		remaining = others
		if len(passed) == 0 {
			continue
		}
		batches, err := service.ExecuteProcessors(ctx, c.processors, passed)
		if err != nil {
			return nil, err
		}
		for _, b := range batches {
			switch {
			case c.falls:
				fallen = append(fallen, b...)
			case c.continues:
				remaining = append(remaining, b...)
			default:
				done = append(done, b...)
			}
		}
	}
	done = append(append(done, fallen...), remaining...)
	if len(done) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(done, func(a, b *service.Message) int { return cmp.Compare(index.IndexOf(a), index.IndexOf(b)) })
	return []service.MessageBatch{done}, nil
}

func (c *oneCase) executor(batch service.MessageBatch) *service.MessageBatchBloblangExecutor {
	if c.check == nil {
		return nil
	}
	return batch.BloblangExecutor(c.check)
}

func (c *oneCase) test(exec *service.MessageBatchBloblangExecutor, i int) (bool, error) {
	if exec == nil {
		return true, nil
	}
	answer, err := exec.Query(i)
	if err != nil || answer == nil {
		return false, cmp.Or(err, errNoBool)
	}
	text, err := answer.AsBytes()
	if err != nil {
		return false, err
	}
	switch string(text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errNoBool
}

var errNoBool = errors.New("it gives neither true nor false")

// Close closes the processors of all cases.
func (s *switched) Close(ctx context.Context) error {
	var err error
	for _, c := range s.cases {
		err = errors.Join(err, closeAll(ctx, c.processors))
	}
	return err
}

func closeAll(ctx context.Context, processors []*service.OwnedProcessor) (err error) {
	for _, p := range processors {
		err = errors.Join(err, p.Close(ctx))
	}
	return err
}
