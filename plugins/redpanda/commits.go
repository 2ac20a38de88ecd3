package redpanda

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// commits gathers what the partitions want committed while a commit is under way and sends it as one request.
type commits struct {
	cl    *kgo.Client
	queue chan commitRequest
	life  context.Context
	done  chan struct{}
}

type commitRequest struct {
	p        *partition
	offset   int64
	metadata string
	answer   chan error
}

// errGivenUp fails a request some of whose partitions went away; the others ask again.
var errGivenUp = errors.New("a partition of the commit was taken away")

func newCommits(life context.Context, cl *kgo.Client) *commits {
	c := &commits{cl: cl, queue: make(chan commitRequest, 64), life: life, done: make(chan struct{})}
	go c.run()
	return c
}

// put returns once the offset is committed, or will not be. A partition has one commit under way at a time.
func (c *commits) put(p *partition, offset int64, metadata string) error {
	req := commitRequest{p: p, offset: offset, metadata: metadata, answer: make(chan error, 1)}
	select {
	case c.queue <- req:
	case <-p.living.Done():
		return context.Canceled
	}
	select {
	case err := <-req.answer:
		return err
	case <-p.living.Done():
		return context.Canceled
	}
}

func (c *commits) run() {
	defer close(c.done)
	for {
		var batch []commitRequest
		select {
		case req := <-c.queue:
			batch = append(batch, req)
		case <-c.life.Done():
			return
		}
		for more := true; more; {
			select {
			case req := <-c.queue:
				batch = append(batch, req)
			default:
				more = false
			}
		}
		c.send(batch)
	}
}

func (c *commits) send(batch []commitRequest) {
	offsets := map[string]map[int32]kgo.EpochOffset{}
	notes := map[string]map[int32]string{}
	waiting := batch[:0]
	for _, req := range batch {
		if req.p.living.Err() != nil { // taken away meanwhile: another member may own it by now
			req.answer <- context.Canceled
			continue
		}
		if offsets[req.p.topic] == nil {
			offsets[req.p.topic] = map[int32]kgo.EpochOffset{}
			notes[req.p.topic] = map[int32]string{}
		}
		offsets[req.p.topic][req.p.id] = kgo.EpochOffset{Epoch: -1, Offset: req.offset}
		notes[req.p.topic][req.p.id] = req.metadata
		waiting = append(waiting, req)
	}
	if len(waiting) == 0 {
		return
	}
	ctx := kgo.PreCommitFnContext(c.life, func(req *kmsg.OffsetCommitRequest) error {
		// The client may have waited for a rebalance to pass and taken its new generation. A partition that went away
		// meanwhile must not be committed with it: the broker could not tell.
		for _, w := range waiting {
			if w.p.living.Err() != nil {
				return errGivenUp
			}
		}
		for i := range req.Topics {
			for j := range req.Topics[i].Partitions {
				text := notes[req.Topics[i].Topic][req.Topics[i].Partitions[j].Partition]
				req.Topics[i].Partitions[j].Metadata = &text
			}
		}
		return nil
	})
	c.cl.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, res *kmsg.OffsetCommitResponse, err error) {
		for _, req := range waiting {
			req.answer <- answerFor(req, res, err)
		}
	})
}

func answerFor(req commitRequest, res *kmsg.OffsetCommitResponse, err error) error {
	if err != nil {
		return err
	}
	for _, t := range res.Topics {
		if t.Topic != req.p.topic {
			continue
		}
		for _, part := range t.Partitions {
			if part.Partition == req.p.id {
				return kerr.ErrorForCode(part.ErrorCode)
			}
		}
	}
	return fmt.Errorf("committing %s/%d: the broker's answer leaves it out", req.p.topic, req.p.id)
}
