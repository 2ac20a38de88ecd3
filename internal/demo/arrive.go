package demo

import (
	"context"
	"fmt"
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
	admin, notice := kadm.NewClient(client), notice{run: r, told: time.Now(), moved: time.Now()}
	for {
		left, where, err := r.waiting(ctx, admin)
		if err == nil && left == 0 {
			return nil
		}
		if failed := r.pipelines.failed(); failed != nil {
			return failed
		}
		notice.look(left, where)
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d records to arrive%s: %w; the end of %s says:\n%s", left, where, ctx.Err(), r.pipelines.log, r.pipelines.tail(8))
		case <-time.After(lookEvery):
		}
	}
}

// notice tells how the events come along: what changed, and once that nothing does.
type notice struct {
	*run
	told, moved time.Time
	last        string
	explained   bool
}

func (n *notice) look(left int64, where string) {
	now := fmt.Sprintf("%d records still on their way%s", left, where)
	if now != n.last {
		n.last, n.moved = now, time.Now()
		if time.Since(n.told) > tellEvery {
			n.told = time.Now()
			n.tell("%s", now)
		}
		return
	}
	if time.Since(n.moved) > stuckFor && !n.explained {
		n.explained = true
		n.tell("%s; nothing has moved for %s: after a kill or a failed start the broker keeps partitions for a member that is gone, up to a minute", now, stuckFor)
	}
}

// waiting sums the lag of all groups, in the order of the flow, and says where it is.
func (r *run) waiting(ctx context.Context, admin *kadm.Client) (left int64, where string, err error) {
	for _, s := range r.plan().Flow() {
		n, err := lag(ctx, admin, s)
		if err != nil {
			return left, where, err
		}
		left += n
		if n > 0 {
			where += fmt.Sprintf(", %s %d", s.Topic, n)
		}
	}
	return left, where, nil
}

func lag(ctx context.Context, admin *kadm.Client, s books.Stage) (int64, error) {
	ends, err := admin.ListEndOffsets(ctx, s.Topic)
	if err != nil {
		return 0, fmt.Errorf("looking at %s: %w", s.Topic, err)
	}
	committed, err := admin.FetchOffsets(ctx, s.Group)
	if err != nil {
		return 0, fmt.Errorf("looking at group %s: %w", s.Group, err)
	}
	var n int64
	ends.Each(func(end kadm.ListedOffset) {
		at := int64(0)
		if done, ok := committed.Lookup(end.Topic, end.Partition); ok {
			at = max(0, done.At)
		}
		n += end.Offset - at
	})
	return n, nil
}

// plan is where the shipped streams keep what, for the books.
func (r *run) plan() books.Plan {
	return books.DefaultPlan(r.ws.Topics, []books.Stage{
		{Topic: topicEvents, Group: "ebbgate-ingest-events"},
		{Topic: topicGitHub, Group: "ebbgate-ingest-brokered"},
	}, sinkDestination)
}

// killMidway waits until the pipelines are in the middle of their work and kills them.
func (p *publisher) killMidway(ctx context.Context) error {
	admin := kadm.NewClient(p.client)
	last := p.plan().Flow()
	for {
		left, _, err := p.waiting(ctx, admin)
		begun, lagErr := lag(ctx, admin, last[len(last)-1])
		if err == nil && lagErr == nil && left > 0 && begun > 0 {
			break
		}
		if err == nil && left == 0 {
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
