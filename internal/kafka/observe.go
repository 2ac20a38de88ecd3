package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ebbgate/ebbgate/internal/topics"
)

// broker is what a broker has of topics now.
type broker struct {
	brokers  int
	details  kadm.TopicDetails
	known    []topics.Topic // of the file, in its order
	configs  map[string]map[string]string
	holdings map[string]holding
}

// holding is what a topic holds.
type holding struct {
	records int64 // -1: unknown
	lastDay int64 // that arrived in the last 24 hours
	settled bool  // it has records that are older
}

// empty is false also when it is not known: then there may be something to lose.
func (h holding) empty() bool { return h.records == 0 }

// observe reads the broker. Asking for the authorized operations is what keeps the client from answering out of its cache, in
// which a topic that was just made is missing.
func observe(ctx context.Context, adm *kadm.Client, set *topics.Set) (*broker, error) {
	ctx = kadm.WithAuthorizedOps(ctx)
	meta, err := adm.Metadata(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing topics: %w", err)
	}
	meta.Topics.FilterInternal()
	b := &broker{brokers: len(meta.Brokers), details: meta.Topics}
	var names []string
	for _, t := range set.All() {
		if b.details.Has(t.Name) {
			if err := b.details[t.Name].Err; err != nil {
				return nil, fmt.Errorf("reading topic %s: %w", t.Name, err)
			}
			b.known, names = append(b.known, t), append(names, t.Name)
		}
	}
	if len(names) == 0 {
		return b, nil
	}
	if b.configs, err = readSettings(ctx, adm, names); err != nil {
		return nil, err
	}
	b.holdings, err = readHoldings(ctx, adm, names)
	return b, err
}

func readSettings(ctx context.Context, adm *kadm.Client, names []string) (map[string]map[string]string, error) {
	described, err := adm.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("reading the settings of topics: %w", err)
	}
	all := make(map[string]map[string]string, len(names))
	for _, name := range names {
		have, err := described.On(name, nil)
		if err == nil {
			err = have.Err
		}
		if err != nil {
			return nil, fmt.Errorf("reading the settings of %s: %w", name, err)
		}
		all[name] = map[string]string{}
		for _, c := range have.Configs {
			all[name][c.Key] = c.MaybeValue()
		}
	}
	return all, nil
}

func readHoldings(ctx context.Context, adm *kadm.Client, names []string) (map[string]holding, error) {
	starts, err := adm.ListStartOffsets(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("reading the first offsets of topics: %w", err)
	}
	recent, err := adm.ListOffsetsAfterMilli(ctx, time.Now().Add(-24*time.Hour).UnixMilli(), names...)
	if err != nil {
		return nil, fmt.Errorf("reading the offsets of a day ago: %w", err)
	}
	ends, err := adm.ListEndOffsets(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("reading the last offsets of topics: %w", err)
	}
	all := make(map[string]holding, len(names))
	for _, name := range names {
		all[name] = sum(starts[name], recent[name], ends[name])
	}
	return all, nil
}

func sum(starts, recent, ends map[int32]kadm.ListedOffset) (h holding) {
	for partition, end := range ends {
		start, since := starts[partition], recent[partition]
		if start.Err != nil || since.Err != nil || end.Err != nil {
			return holding{records: -1}
		}
		h.records += end.Offset - start.Offset
		h.lastDay += end.Offset - since.Offset
		h.settled = h.settled || since.Offset > start.Offset
	}
	if len(ends) == 0 {
		h.records = -1
	}
	return h
}

// replicas counts the partition replicas of the broker's topics and of those the file adds to them.
func (b *broker) replicas(set *topics.Set) int {
	n := 0
	b.details.EachPartition(func(p kadm.PartitionDetail) { n += len(p.Replicas) })
	for _, t := range set.All() {
		n += max(0, t.Partitions-len(b.details[t.Name].Partitions)) * t.ReplicationFactor
	}
	return n
}
