package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/topics"
	ws "github.com/ebbgate/ebbgate/internal/workspace"
)

const partitions = 8

// recordedEvery is how many subjects share one consent record in the state topic: it confirms what the events claim.
const recordedEvery = 5

// prepareTopics makes the topics of the workspace and fills them: the events, and consent records for some subjects.
func prepareTopics(ctx context.Context, brokers string, ring *keys.Ring, events int) (bytes int64, err error) {
	loaded, err := ws.Load(workspace)
	if err != nil {
		return 0, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerBatchMaxBytes(1<<20), kgo.ProducerLinger(20*time.Millisecond))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	if _, err := kafka.ApplyTopics(ctx, kadm.NewClient(client), loaded.Topics); err != nil {
		return 0, err
	}
	f := &filler{client: client}
	state, _ := loaded.Topics.ByRole(topics.Consent)
	for user := 0; user < users; user += recordedEvery {
		rec := consent.Record{Version: 9, Purposes: map[string]bool{"analytics": true}, Source: "preferences", ChangedAt: time.Now()}
		f.produce(ctx, &kgo.Record{Topic: state.Name, Partition: int32(user % state.Partitions), Key: []byte(ring.SubjectPseudonym("user_id", fmt.Sprintf("u_%d", user))), Value: rec.Append(nil)})
	}
	start := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	for i := range events {
		body := appendEvent(make([]byte, 0, 1200), start, i)
		bytes += int64(len(body))
		f.produce(ctx, &kgo.Record{Topic: topicEvents, Partition: int32(i % partitions), Key: fmt.Appendf(nil, "u_%d", i*7919%users), Value: body})
	}
	return bytes, errors.Join(client.Flush(ctx), f.failed)
}

type filler struct {
	client *kgo.Client
	mu     sync.Mutex
	failed error
}

func (f *filler) produce(ctx context.Context, rec *kgo.Record) {
	f.client.Produce(ctx, rec, func(_ *kgo.Record, err error) {
		if err != nil {
			f.mu.Lock()
			f.failed = err
			f.mu.Unlock()
		}
	})
}

// waitFor returns once the group has committed every event.
func waitFor(ctx context.Context, admin *kadm.Client, group string, events int, alive <-chan struct{}) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		committed := int64(0)
		offsets, err := admin.FetchOffsets(ctx, group)
		if err == nil {
			offsets.Each(func(o kadm.OffsetResponse) {
				if o.Topic == topicEvents {
					committed += max(o.At, 0)
				}
			})
		}
		if committed >= int64(events) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-alive:
			return fmt.Errorf("the contender ended with %d of %d events committed", committed, events)
		case <-ctx.Done():
			return fmt.Errorf("waiting for the contender, %d of %d events committed: %w", committed, events, ctx.Err())
		}
	}
}
