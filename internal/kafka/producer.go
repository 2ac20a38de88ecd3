package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Producer writes records of our own beside a pipeline's output. It is safe for concurrent use; whoever opened it closes it.
type Producer struct{ cl *kgo.Client }

// gather is how long a record waits for others that are written at the same time. A request for each would cost more than what
// is written.
const gather = time.Millisecond

// OpenProducer connects, and fails when no broker answers.
func (c *Client) OpenProducer(ctx context.Context) (*Producer, error) {
	cl, err := kgo.NewClient(append(c.Options(), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(gather), kgo.MaxProduceRequestsInflightPerBroker(1), kgo.ProducerBatchCompression(kgo.NoCompression()))...)
	if err != nil {
		return nil, fmt.Errorf("opening a producer: %w", err)
	}
	if err := cl.Ping(ctx); err != nil {
		cl.Close()
		return nil, fmt.Errorf("reaching the brokers: %w", err)
	}
	return &Producer{cl}, nil
}

// Write returns nil once the record is durable on all in-sync replicas. After an error it may be so or not.
func (p *Producer) Write(ctx context.Context, topic, key string, value []byte) error {
	if err := p.cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte(key), Value: value}).FirstErr(); err != nil {
		return fmt.Errorf("writing to %s: %w", topic, err)
	}
	return nil
}

// Close gives up what is still being written.
func (p *Producer) Close() { p.cl.Close() }
