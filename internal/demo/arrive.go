package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
)

const (
	lookEvery = 200 * time.Millisecond
	tellEvery = 2 * time.Second
	stuckFor  = 10 * time.Second
)

// arrive waits until no consumer group has anything left to do: every topic is looked at again after the one before it
// in the flow was found empty, because work moves from one to the next.
func (r *run) arrive(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(r.endpoints.Brokers))
	if err != nil {
		return fmt.Errorf("opening a client: %w", err)
	}
	defer client.Close()
	admin, n := kadm.NewClient(client), newNotice(r)
	for {
		stages, err := r.look(ctx, admin)
		if err == nil {
			n.look(stages, time.Now())
			if waiting(stages) == 0 {
				n.arrived()
				return nil
			}
		}
		if failed := r.pipelines.failed(); failed != nil {
			return failed
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; the end of %s says:\n%s", n.last, ctx.Err(), r.pipelines.log, r.pipelines.tail(8))
		case <-time.After(lookEvery):
		}
	}
}

// waiting is how many records are still on their way.
func waiting(stages []progress) (left int64) {
	for _, s := range stages {
		left += s.left
	}
	return left
}

// notice tells how the events come along: on a terminal all the time, elsewhere a line now and then; and once that nothing
// moves.
type notice struct {
	*run
	view        *view // nil where nobody watches
	pace        pace
	told, moved time.Time
	last        string
	explained   bool
}

func newNotice(r *run) *notice {
	n := &notice{run: r, told: time.Now(), moved: time.Now()}
	if r.Live {
		n.view = &view{out: r.Messages}
	}
	return n
}

func (n *notice) look(stages []progress, now time.Time) {
	text := describe(stages)
	moves := text != n.last
	n.last = text
	n.pace.note(stages, now)
	switch {
	case n.view != nil:
		n.view.draw(stages, now)
	case moves && now.Sub(n.told) > tellEvery && waiting(stages) > 0:
		n.told = now
		n.tell("%s", text)
	}
	if moves {
		n.moved = now
	}
	if now.Sub(n.moved) > stuckFor && !n.explained {
		n.explained = true
		n.tell("%s; nothing has moved for %s: after a kill or a failed start the broker keeps partitions for a member that is gone, up to a minute", text, stuckFor)
		if n.view != nil {
			n.view.drawn = 0 // what was drawn stands above the line now
		}
	}
}

// arrived tells how fast it went.
func (n *notice) arrived() {
	if rates := n.pace.String(); rates != "" {
		n.tell("everything has arrived; while it was watched: %s", rates)
	}
}

// describe says how much is on its way, and where.
func describe(stages []progress) string {
	text := fmt.Sprintf("%d records still on their way", waiting(stages))
	for _, s := range stages {
		if s.left > 0 {
			text += fmt.Sprintf(", %s %d", s.topic, s.left)
		}
	}
	return text
}

// look sees how far all stages are, in the order of the flow.
func (r *run) look(ctx context.Context, admin *kadm.Client) ([]progress, error) {
	flow := r.plan().Flow()
	stages := make([]progress, len(flow))
	for i, s := range flow {
		var err error
		if stages[i], err = progressOf(ctx, admin, s); err != nil {
			return nil, err
		}
	}
	return stages, nil
}

func progressOf(ctx context.Context, admin *kadm.Client, s books.Stage) (p progress, err error) {
	ends, err := admin.ListEndOffsets(ctx, s.Topic)
	if err != nil {
		return p, fmt.Errorf("looking at %s: %w", s.Topic, err)
	}
	committed, err := admin.FetchOffsets(ctx, s.Group)
	if err != nil {
		return p, fmt.Errorf("looking at group %s: %w", s.Group, err)
	}
	p = progress{name: strings.TrimPrefix(s.Group, "ebbgate-"), topic: s.Topic}
	ends.Each(func(end kadm.ListedOffset) {
		at := int64(0)
		if done, ok := committed.Lookup(end.Topic, end.Partition); ok {
			at = max(0, done.At)
		}
		p.done += at
		p.left += end.Offset - at
	})
	return p, nil
}

// plan is where the shipped streams keep what, for the books.
func (r *run) plan() books.Plan {
	plan := books.DefaultPlan(r.ws.Topics, []books.Stage{
		{Topic: topicEvents, Group: "ebbgate-ingest-events"},
		{Topic: topicGitHub, Group: "ebbgate-ingest-brokered"},
		{Topic: topicWebhooks, Group: "ebbgate-ingest-webhooks"},
	}, sinkDestination)
	if r.stages() {
		plan.Groups["warehouse"] = warehouseGroup // what it has not staged yet still waits
	}
	return plan
}

// killMidway waits until the pipelines are in the middle of their work and kills them.
func (p *publisher) killMidway(ctx context.Context) error {
	admin := kadm.NewClient(p.client)
	for {
		stages, err := p.look(ctx, admin)
		if err == nil && slices.ContainsFunc(stages, func(s progress) bool { return s.name == sinkDestination && s.left > 0 }) {
			break
		}
		if err == nil && waiting(stages) == 0 {
			break // they were faster than this look
		}
		if failed := p.pipelines.failed(); failed != nil {
			return failed
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for a moment to kill the pipelines: %w", ctx.Err())
		case <-time.After(lookEvery / 4):
		}
	}
	p.tell("kill -9 %d, in the middle of their work, and starting them again", p.pipelines.cmd.Process.Pid)
	return p.pipelines.kill()
}
