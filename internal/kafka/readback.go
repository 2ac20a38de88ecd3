package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// readBackBytes bounds what a client holds of a partition while it reads back.
const readBackBytes = 16 << 20

// Past is a record that was read back. It is the caller's only during the call.
type Past struct{ record *kgo.Record }

// Offset is where it lies.
func (p Past) Offset() int64 { return p.record.Offset }

// Key is its key.
func (p Past) Key() []byte { return p.record.Key }

// Value is its value.
func (p Past) Value() []byte { return p.record.Value }

// Header is the value of a header, or nil.
func (p Past) Header(name string) []byte {
	for i := range p.record.Headers {
		if p.record.Headers[i].Key == name {
			return p.record.Headers[i].Value
		}
	}
	return nil
}

// ReadBack gives the records of a partition from one offset up to, and without, another, in their order. There has to be a record at or
// above until. What retention has deleted is left out. It blocks while brokers cannot be reached, until the context ends.
func (c *Client) ReadBack(ctx context.Context, topic string, partition int32, from, until int64, take func(Past)) error {
	if from >= until {
		return nil
	}
	client, err := kgo.NewClient(append(c.Options(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(from)}}),
		kgo.FetchMaxBytes(readBackBytes), kgo.FetchMaxPartitionBytes(readBackBytes))...)
	if err != nil {
		return err
	}
	defer client.Close()
	for done := false; !done; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if done = done || r.Offset >= until; !done {
				take(Past{r})
			}
		})
	}
	return nil
}
