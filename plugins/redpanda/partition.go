package redpanda

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/crash"
)

// partition is one partition for as long as this member owns it without a break: a partition that is lost and comes
// back is another one, so nothing of the first can touch the second. One goroutine, run, cuts its chunks, hands them
// out and commits them, one at a time.
type partition struct {
	session *session
	topic   string
	id      int32

	mu     sync.Mutex
	cut    *cutter // nil until the committed offset is known
	handed *chunk  // the last one cut
	paused bool
	gone   bool // given up

	arrived  chan struct{}   // something was added
	draining chan struct{}   // closed: begin nothing new
	waiting  context.Context // ends: stop waiting for the acknowledgement
	living   context.Context // ends: stop everything
	abandon  context.CancelFunc
	kill     context.CancelFunc
	once     sync.Once
	done     chan struct{}

	anchored  bool         // something is committed for the partition
	committed atomic.Int64 // the last offset that is
	name      string       // the partition's number, as a metric label
}

func newPartition(s *session, topic string, id int32) *partition {
	p := &partition{
		session: s, topic: topic, id: id, name: strconv.Itoa(int(id)),
		arrived: make(chan struct{}, 1), draining: make(chan struct{}), done: make(chan struct{}),
	}
	p.living, p.kill = context.WithCancel(s.living)
	p.waiting, p.abandon = context.WithCancel(p.living)
	return p
}

// begin starts the goroutine at the committed position.
func (p *partition) begin(at position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.cut != nil {
		return
	}
	p.cut = newCutter(p.session.in.limits, p.session.in.period, at)
	p.anchored = at.offset != none
	p.committed.Store(at.offset)
	go p.run()
}

// add takes what was polled and reports whether the partition should be paused: it holds two chunks already.
func (p *partition) add(recs []*kgo.Record, end int64) (pause bool) {
	p.mu.Lock()
	if p.cut == nil {
		p.mu.Unlock()
		return false
	}
	p.cut.add(recs, end, time.Now())
	pause = !p.paused && p.cut.holds(2)
	p.paused = p.paused || pause
	p.mu.Unlock()
	p.observe()
	select {
	case p.arrived <- struct{}{}:
	default:
	}
	return pause
}

// holds tells whether n full chunks, or what counts as much in memory, are waiting to be cut.
func (c *cutter) holds(n int64) bool {
	return c.bytes >= n*c.conf.Bytes || int64(len(c.recs)) >= n*c.conf.Offsets
}

func (p *partition) run() {
	defer close(p.done)
	for {
		c := p.await()
		if c == nil || !p.deliver(c) {
			return
		}
	}
}

// await blocks until a chunk is complete; nil when the partition is given up.
func (p *partition) await() *chunk {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-p.draining:
			return nil
		default:
		}
		c, wait := p.tryCut()
		if c != nil {
			return c
		}
		if wait <= 0 {
			wait = time.Hour
		}
		timer.Reset(wait)
		select {
		case <-p.arrived:
		case <-timer.C:
		case <-p.draining:
		case <-p.living.Done():
			return nil
		}
	}
}

func (p *partition) tryCut() (*chunk, time.Duration) {
	p.mu.Lock()
	c, wait := p.cut.cut(time.Now())
	if c != nil {
		p.handed = c
	}
	resume := c != nil && p.paused && !p.cut.holds(1)
	if resume {
		p.paused = false
	}
	p.mu.Unlock()
	if resume {
		p.session.cl.ResumeFetchPartitions(map[string][]int32{p.topic: {p.id}})
	}
	return c, wait
}

// deliver hands a chunk out until it is acknowledged, and commits it. It reports whether the partition may go on.
func (p *partition) deliver(c *chunk) bool {
	in := p.session.in
	if c.timed || !p.anchored {
		crash.At(crash.BeforeIntent)
		if !p.commit(c.first, p.noteOf(c)) {
			return false
		}
		crash.At(crash.AfterIntent)
		p.anchored = true
	}
	pause := pauses{first: in.nackFirst, most: in.nackMost}
	for len(c.recs) > 0 {
		err, ok := p.handOut(c)
		if !ok {
			return false
		}
		if err == nil {
			break
		}
		in.metrics.nacked(p.topic, err)
		in.log.With("topic", p.topic, "partition", p.id, "first", c.first, "last", c.last).
			Debugf("The chunk was not delivered and is replayed: %v", err)
		if done, err := p.settle(c, err); err != nil {
			in.complain("Writing to quarantine failed, the chunk waits: %v", err)
		} else if done {
			continue // without a pause: what failed for good is out of the way
		}
		if !pause.sleep(p.living, p.draining) {
			return false
		}
	}
	in.metrics.chunks.Incr(1)
	in.metrics.records.Incr(int64(len(c.recs)))
	crash.At(crash.BeforeCommit)
	committed := p.commit(c.last+1, note{Limits: in.limits})
	crash.At(crash.AfterCommit)
	return committed
}

// noteOf describes a chunk whose end cannot be worked out from offsets alone, or some of whose records are settled.
func (p *partition) noteOf(c *chunk) note {
	n := note{Limits: p.session.in.limits}
	if c.timed || len(c.settled) > 0 {
		last := c.last
		n.Last = &last
	}
	for _, rec := range c.recs {
		if c.settled[rec.Offset] {
			n.Settled = append(n.Settled, rec.Offset)
		}
	}
	return n
}

// handOut gives a fresh copy of the chunk to the engine and waits for its answer. ok is false when the partition was
// given up first; a late answer is then dropped.
func (p *partition) handOut(c *chunk) (answer error, ok bool) {
	c.attempt++
	d := delivery{of: p, chunk: c, answer: make(chan error, 1)}
	select {
	case p.session.out <- d:
	case <-p.draining:
		return nil, false
	case <-p.living.Done():
		return nil, false
	}
	select {
	case answer = <-d.answer:
		return answer, true
	case <-p.waiting.Done():
	}
	select {
	case answer = <-d.answer:
		return answer, true
	default:
		return nil, false
	}
}

// commit waits until the group has the offset. It reports false when the partition was given up before.
func (p *partition) commit(offset int64, n note) bool {
	pause := pauses{first: 50 * time.Millisecond, most: 2 * time.Second}
	for {
		err := p.session.commits.put(p, offset, n.encode())
		if err == nil {
			p.committed.Store(offset)
			p.observe()
			return true
		}
		if errors.Is(err, context.Canceled) || p.living.Err() != nil {
			return false
		}
		p.session.in.metrics.commitErrors.Incr(1)
		p.session.in.complain("Committing %s/%d failed, trying again: %v", p.topic, p.id, err)
		if !pause.sleep(p.living, nil) {
			return false
		}
	}
}

// giveUp ends the partition: nothing new begins, a chunk under way has until patience to be acknowledged and
// committing it has a bound of its own. It returns when nothing of the partition can reach the broker any more.
func (p *partition) giveUp(patience time.Duration) {
	p.once.Do(func() {
		close(p.draining)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.gone = true
		if p.cut == nil {
			close(p.done)
		}
	})
	defer p.forget()
	defer p.kill()
	if p.finished(patience) {
		return
	}
	p.abandon()
	if p.finished(commitPatience) {
		return
	}
	p.kill()
	<-p.done
}

// commitPatience bounds the last commit of a partition that is given up.
const commitPatience = 3 * time.Second

func (p *partition) finished(within time.Duration) bool {
	if within <= 0 {
		select {
		case <-p.done:
			return true
		default:
			return false
		}
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}
