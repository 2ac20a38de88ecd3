package trace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// reader reads topics without a consumer group.
type reader struct {
	options []kgo.Opt
	admin   *kadm.Client
	since   time.Time
}

// scan gives every record from since to the end that the topic had when the call began, and counts them. A topic that does
// not exist has none.
func (r *reader) scan(ctx context.Context, topic string, take func(*kgo.Record)) (n int64, err error) {
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
		if err := failure(fetches); err != nil {
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

func failure(fetches kgo.Fetches) (err error) {
	if err := fetches.Err0(); err != nil {
		return err
	}
	fetches.EachError(func(_ string, _ int32, fetchErr error) { err = errors.Join(err, fetchErr) })
	return err
}

// bounds gives where to start and where to stop, for the partitions that hold anything to read.
func (r *reader) bounds(ctx context.Context, topic string) (map[int32]kgo.Offset, map[int32]int64, error) {
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

// at reads one record; nil when it is gone.
func (r *reader) at(ctx context.Context, p Position) (*kgo.Record, error) {
	one := reader{options: r.options, admin: r.admin}
	starts, ends, err := one.bounds(ctx, p.Topic)
	if err != nil {
		return nil, err
	}
	if first, ok := starts[p.Partition]; !ok || first.EpochOffset().Offset > p.Offset || ends[p.Partition] <= p.Offset {
		return nil, nil
	}
	cl, err := kgo.NewClient(append(r.options[:len(r.options):len(r.options)], kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.Topic: {p.Partition: kgo.NewOffset().At(p.Offset)}}))...)
	if err != nil {
		return nil, fmt.Errorf("opening a reader of %s: %w", p.Topic, err)
	}
	defer cl.Close()
	for {
		fetches := cl.PollRecords(ctx, 1)
		if err := failure(fetches); err != nil {
			return nil, fmt.Errorf("reading %s: %w", p.Topic, err)
		}
		for _, rec := range fetches.Records() {
			if rec.Offset == p.Offset && !rec.Attrs.IsControl() {
				return rec, nil
			}
			return nil, nil // compacted away: the next one came
		}
	}
}
