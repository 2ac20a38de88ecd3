package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Table is what a Follower keeps up to date: the content of one topic. The follower calls it under its own write lock,
// so a Table needs none of its own as long as it is read inside Follower.Read.
type Table interface {
	// Topic is the topic the table holds.
	Topic() string
	// Reset empties the table: the topic is about to be read again from its start.
	Reset()
	// Apply takes one record, in the order of its partition. The record's bytes may not be kept.
	Apply(rec *kgo.Record)
	// Len is the number of keys held.
	Len() int
}

const (
	followerFetchBytes = 8 << 20
	retryFirst         = 100 * time.Millisecond
	retryMost          = 5 * time.Second
	complainEvery      = 30 * time.Second
)

// Follower reads whole topics, all partitions from their start, without a consumer group, into tables, and knows when
// these are current. It starts on the first Read, restarts by itself after an error, and is safe for concurrent use.
// Its goroutines run from the first Read until Close returns.
//
// A position is the offset after the last record seen. Should compaction remove the very last records of a partition,
// which happens only to records without a value, Read waits until the partition is written to again: it cannot tell
// what is gone from what has not arrived. State is therefore changed by records of a higher version, not taken back by
// records without a value.
type Follower struct {
	client *Client
	tables map[string]Table
	log    *service.Logger
	lag    *service.MetricGauge
	size   *service.MetricGauge

	mu       sync.RWMutex
	position map[string]map[int32]int64 // next offset to be read; absent until a record was read
	advanced chan struct{}              // closed and replaced whenever positions move

	rounds rounds
	start  sync.Once
	stop   context.CancelFunc
	life   context.Context
	done   sync.WaitGroup
	reset  chan struct{} // asks the consumer to begin again
}

// NewFollower returns a follower of the topics of the tables. mgr may be nil in tests.
func NewFollower(client *Client, mgr *service.Resources, tables ...Table) *Follower {
	f := &Follower{
		client:   client,
		tables:   make(map[string]Table, len(tables)),
		position: map[string]map[int32]int64{},
		advanced: make(chan struct{}),
		reset:    make(chan struct{}, 1),
		rounds:   rounds{wake: make(chan struct{}, 1)},
	}
	if mgr != nil {
		f.log = mgr.Logger()
		f.lag = mgr.Metrics().NewGauge("ebbgate_state_lag", "topic")
		f.size = mgr.Metrics().NewGauge("ebbgate_state_keys", "topic")
	}
	for _, t := range tables {
		f.tables[t.Topic()] = t
	}
	f.life, f.stop = context.WithCancel(context.Background())
	return f
}

// Read waits until every table holds all that the broker had when the call began, then runs fn while the tables stand
// still. fn must only read, and be quick. The error is the context's own, wrapped; fn has not run then.
func (f *Follower) Read(ctx context.Context, fn func()) error {
	f.start.Do(f.begin)
	ends, err := f.rounds.next(ctx, f.life)
	if err != nil {
		return fmt.Errorf("waiting for the end of %s: %w", f.names(), err)
	}
	for {
		f.mu.RLock()
		behind := f.behind(ends)
		if behind == 0 {
			defer f.mu.RUnlock()
			fn()
			return nil
		}
		moved := f.advanced
		f.mu.RUnlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d records of %s: %w", behind, f.names(), ctx.Err())
		case <-f.life.Done():
			return fmt.Errorf("waiting for %s: %w", f.names(), errClosed)
		}
	}
}

var errClosed = errors.New("closed")

// behind counts the records that are still to be read; the caller holds mu.
func (f *Follower) behind(ends kadm.ListedOffsets) int64 {
	var n int64
	ends.Each(func(o kadm.ListedOffset) {
		if at := f.position[o.Topic][o.Partition]; at < o.Offset {
			n += o.Offset - at
		}
	})
	return n
}

func (f *Follower) names() string {
	var names string
	for _, t := range sortedKeys(f.tables) {
		if names != "" {
			names += ", "
		}
		names += t
	}
	return names
}

// Close stops the follower and waits for its goroutines, or for ctx. Reads that wait return an error.
func (f *Follower) Close(ctx context.Context) error {
	f.start.Do(func() {})
	f.stop()
	done := make(chan struct{})
	go func() { f.done.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("closing the view of %s: %w", f.names(), ctx.Err())
	}
}

func (f *Follower) begin() {
	f.done.Add(2)
	go func() { defer f.done.Done(); f.consume() }()
	go func() { defer f.done.Done(); f.list() }()
}

// consume keeps one reading of the topics going until Close.
func (f *Follower) consume() {
	wait := backoff{first: retryFirst, most: retryMost}
	for f.life.Err() == nil {
		err := f.consumeOnce(&wait)
		if f.life.Err() != nil {
			return
		}
		f.warnf("Reading %s again from the start: %v", f.names(), err)
		wait.sleep(f.life)
	}
}

func (f *Follower) consumeOnce(wait *backoff) error {
	f.clear()
	opts := append(f.client.Options(),
		kgo.ConsumeTopics(sortedKeys(f.tables)...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.KeepControlRecords(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), // what a transaction took back was never stated
		kgo.FetchMaxBytes(followerFetchBytes),
	)
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	defer cl.Close()
	ctx, cancel := context.WithCancel(f.life)
	defer cancel()
	var stale atomic.Bool
	go func() {
		select {
		case <-f.reset:
			stale.Store(true)
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		fetches := cl.PollFetches(ctx)
		if stale.Load() {
			return errors.New("the topic was truncated or made anew")
		}
		if f.life.Err() != nil {
			return errClosed
		}
		if err := f.fatal(fetches); err != nil {
			return err
		}
		if fetches.NumRecords() > 0 {
			wait.reset()
			f.apply(fetches)
		}
	}
}

// fatal returns the first error of a poll that reading on cannot cure. A topic that was never there is waited for; one
// that was and is gone may come back as another one under the same name, so it is read again from the start.
func (f *Follower) fatal(fetches kgo.Fetches) error {
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded) {
			continue
		}
		f.mu.RLock()
		known := len(f.position[e.Topic]) > 0
		f.mu.RUnlock()
		if isMissing(e.Err) && !known {
			continue
		}
		return fmt.Errorf("fetching %s/%d: %w", e.Topic, e.Partition, e.Err)
	}
	return nil
}

func (f *Follower) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.position)
	for _, t := range f.tables {
		t.Reset()
	}
}

func (f *Follower) apply(fetches kgo.Fetches) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) == 0 {
			return
		}
		table := f.tables[p.Topic]
		for _, rec := range p.Records {
			if !rec.Attrs.IsControl() {
				table.Apply(rec)
			}
		}
		f.moveTo(p.Topic, p.Partition, p.Records[len(p.Records)-1].Offset+1)
	})
	close(f.advanced)
	f.advanced = make(chan struct{})
}

// moveTo records a position; the caller holds mu.
func (f *Follower) moveTo(topic string, partition int32, next int64) {
	if f.position[topic] == nil {
		f.position[topic] = map[int32]int64{}
	}
	f.position[topic][partition] = next
}

func (f *Follower) warnf(format string, args ...any) {
	if f.log != nil {
		f.log.Warnf(format, args...)
	}
}
