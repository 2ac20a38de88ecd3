package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// rounds lets many readers share one question to the broker. A reader joins the round that has not begun yet, never
// the one under way, so the answer is always newer than the reader's call.
type rounds struct {
	mu      sync.Mutex
	pending *round
	wake    chan struct{}
}

type round struct {
	done chan struct{}
	ends kadm.ListedOffsets
}

func (r *rounds) next(ctx, life context.Context) (kadm.ListedOffsets, error) {
	r.mu.Lock()
	if r.pending == nil {
		r.pending = &round{done: make(chan struct{})}
	}
	mine := r.pending
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
	select {
	case <-mine.done:
		return mine.ends, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-life.Done():
		return nil, errClosed
	}
}

func (r *rounds) take() *round {
	r.mu.Lock()
	defer r.mu.Unlock()
	mine := r.pending
	r.pending = nil
	return mine
}

// list answers rounds until Close. A round that fails is asked again; its readers wait.
func (f *Follower) list() {
	cl, err := kgo.NewClient(f.client.Options()...)
	if err != nil {
		f.warnf("Making a client for %s: %v", f.names(), err)
		<-f.life.Done()
		return
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	for {
		select {
		case <-f.rounds.wake:
		case <-f.life.Done():
			return
		}
		if mine := f.rounds.take(); mine != nil {
			if mine.ends = f.listUntil(adm); mine.ends == nil {
				return
			}
			close(mine.done)
		}
	}
}

// listUntil asks for the end of every partition until the broker answers for all of them; nil only after Close.
func (f *Follower) listUntil(adm *kadm.Client) kadm.ListedOffsets {
	wait := backoff{first: retryFirst, most: retryMost}
	var complained time.Time
	for f.life.Err() == nil {
		ends, err := f.listOnce(adm)
		if err == nil {
			f.observe(ends)
			return ends
		}
		if f.life.Err() == nil && time.Since(complained) > complainEvery {
			complained = time.Now()
			f.warnf("Waiting for consent state: %v", err)
		}
		wait.sleep(f.life)
	}
	return nil
}

func (f *Follower) listOnce(adm *kadm.Client) (kadm.ListedOffsets, error) {
	before := f.snapshot()
	topics := sortedKeys(f.tables)
	ends, err := adm.ListEndOffsets(f.life, topics...)
	if err != nil {
		return nil, fmt.Errorf("listing end offsets: %w", err)
	}
	if err := complete(ends, topics); err != nil {
		return nil, err
	}
	empty, stale := false, false
	ends.Each(func(o kadm.ListedOffset) {
		at, known := before[o.Topic][o.Partition]
		stale = stale || at > o.Offset
		empty = empty || (!known && o.Offset > 0)
	})
	if stale { // what was read is not what the topic holds now
		select {
		case f.reset <- struct{}{}:
		default:
		}
		return nil, errors.New("a topic was truncated or made anew: reading it again")
	}
	if empty {
		return ends, f.skipEmpty(adm, ends, topics)
	}
	return ends, nil
}

// skipEmpty moves past partitions whose records are all deleted: they have an end above zero and nothing to read.
func (f *Follower) skipEmpty(adm *kadm.Client, ends kadm.ListedOffsets, topics []string) error {
	starts, err := adm.ListStartOffsets(f.life, topics...)
	if err != nil {
		return fmt.Errorf("listing start offsets: %w", err)
	}
	if err := complete(starts, topics); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	starts.Each(func(s kadm.ListedOffset) {
		if _, known := f.position[s.Topic][s.Partition]; known {
			return
		}
		if e, ok := ends.Lookup(s.Topic, s.Partition); ok && s.Offset >= e.Offset && e.Offset > 0 {
			f.moveTo(s.Topic, s.Partition, s.Offset)
		}
	})
	return nil
}

// complete refuses an answer that leaves out a topic or carries an error for a partition.
func complete(offsets kadm.ListedOffsets, topics []string) error {
	for _, topic := range topics {
		if len(offsets[topic]) == 0 {
			return fmt.Errorf("topic %s does not exist: create it with 'ebbgate topics apply'", topic)
		}
		for partition, o := range offsets[topic] {
			switch {
			case o.Err == nil:
			case isMissing(o.Err):
				return fmt.Errorf("topic %s does not exist: create it with 'ebbgate topics apply'", topic)
			default:
				return fmt.Errorf("reading %s/%d: %w", topic, partition, o.Err)
			}
		}
	}
	return nil
}

func isMissing(err error) bool {
	return errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID)
}

func (f *Follower) snapshot() map[string]map[int32]int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	out := make(map[string]map[int32]int64, len(f.position))
	for topic, partitions := range f.position {
		out[topic] = make(map[int32]int64, len(partitions))
		for p, at := range partitions {
			out[topic][p] = at
		}
	}
	return out
}

func (f *Follower) observe(ends kadm.ListedOffsets) {
	if f.lag == nil {
		return
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	for topic, partitions := range ends {
		var lag int64
		for _, o := range partitions {
			lag += max(0, o.Offset-f.position[topic][o.Partition])
		}
		f.lag.Set(lag, topic)
		f.size.Set(int64(f.tables[topic].Len()), topic)
	}
}
