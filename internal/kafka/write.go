package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Write produces one record of a state topic, acknowledged by all in-sync replicas, and returns once it is durable. It
// opens a connection for it: state is written rarely.
func (c *Client) Write(ctx context.Context, topic, key string, value []byte) error {
	producer, err := kgo.NewClient(append(c.Options(), kgo.RequiredAcks(kgo.AllISRAcks()))...)
	if err != nil {
		return fmt.Errorf("opening a producer: %w", err)
	}
	defer producer.Close()
	if err := producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte(key), Value: value}).FirstErr(); err != nil {
		return fmt.Errorf("writing to %s: %w", topic, err)
	}
	return nil
}
