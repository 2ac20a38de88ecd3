package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Reader reads topics from since on, without a consumer group: no group's position moves by it.
type Reader struct {
	options []kgo.Opt
	client  *kgo.Client
	admin   *kadm.Client
	since   time.Time
}

// OpenReader returns a reader of records from since on; the zero time is all there are. Close it.
func (c *Client) OpenReader(since time.Time) (*Reader, error) {
	cl, err := kgo.NewClient(c.Options()...)
	if err != nil {
		return nil, fmt.Errorf("opening a client: %w", err)
	}
	return &Reader{options: c.Options(), client: cl, admin: kadm.NewClient(cl), since: since}, nil
}

// Close gives the connections up.
func (r *Reader) Close() { r.client.Close() }

// Scan gives every record from since to the end that the topic had when the call began, and counts them. A topic that does
// not exist has none.
func (r *Reader) Scan(ctx context.Context, topic string, take func(*kgo.Record)) (n int64, err error) {
	from, to, err := r.bounds(ctx, topic)
	if err != nil || len(from) == 0 {
		return 0, err
	}
	// Control records hold offsets too: without them the end might never be seen.
	cl, err := kgo.NewClient(append(r.options[:len(r.options):len(r.options)],
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}), kgo.KeepControlRecords())...)
	if err != nil {
		return 0, fmt.Errorf("opening a reader of %s: %w", topic, err)
	}
	defer cl.Close()
	for len(to) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetchFailure(fetches); err != nil {
			return n, fmt.Errorf("reading %s: %w", topic, err)
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			end, open := to[rec.Partition]
			if !open {
				return
			}
			if rec.Offset < end && !rec.Attrs.IsControl() {
				n++
				take(rec)
			}
			if rec.Offset >= end-1 {
				delete(to, rec.Partition)
			}
		})
	}
	return n, nil
}

func fetchFailure(fetches kgo.Fetches) (err error) {
	if err := fetches.Err0(); err != nil {
		return err
	}
	fetches.EachError(func(_ string, _ int32, fetchErr error) { err = errors.Join(err, fetchErr) })
	return err
}

// bounds gives where to start and where to stop, for the partitions that hold anything to read.
func (r *Reader) bounds(ctx context.Context, topic string) (map[int32]kgo.Offset, map[int32]int64, error) {
	list := r.admin.ListStartOffsets
	if !r.since.IsZero() {
		list = func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return r.admin.ListOffsetsAfterMilli(ctx, r.since.UnixMilli(), topics...)
		}
	}
	starts, err := list(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("finding where to begin in %s: %w", topic, err)
	}
	ends, err := r.admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("finding the end of %s: %w", topic, err)
	}
	from, to := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if first, ok := starts.Lookup(topic, o.Partition); ok && first.Offset >= 0 && first.Offset < o.Offset {
			from[o.Partition], to[o.Partition] = kgo.NewOffset().At(first.Offset), o.Offset
		}
	})
	return from, to, nil
}

// At reads one record, of whatever age; nil when it is gone.
func (r *Reader) At(ctx context.Context, topic string, partition int32, offset int64) (*kgo.Record, error) {
	all := Reader{admin: r.admin}
	starts, ends, err := all.bounds(ctx, topic)
	if err != nil {
		return nil, err
	}
	if first, ok := starts[partition]; !ok || first.EpochOffset().Offset > offset || ends[partition] <= offset {
		return nil, nil
	}
	cl, err := kgo.NewClient(append(r.options[:len(r.options):len(r.options)], kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(offset)}}))...)
	if err != nil {
		return nil, fmt.Errorf("opening a reader of %s: %w", topic, err)
	}
	defer cl.Close()
	for {
		fetches := cl.PollRecords(ctx, 1)
		if err := fetchFailure(fetches); err != nil {
			return nil, fmt.Errorf("reading %s: %w", topic, err)
		}
		for _, rec := range fetches.Records() {
			if rec.Offset == offset && !rec.Attrs.IsControl() {
				return rec, nil
			}
			return nil, nil // compacted away: the next one came
		}
	}
}
