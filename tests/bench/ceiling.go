package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
)

// ceilingRows is how many records one raw insert takes: about what a chunk of the gate holds.
const ceilingRows = 4000

// ceilingTable takes what the ceiling writes.
const ceilingTable = "CREATE TABLE raw (partition Int32, offset Int64, body String) ENGINE = MergeTree ORDER BY (partition, offset)"

// ceiling copies records from the broker into ClickHouse as they are: no JSON, no policy, no engine, no exactly-once.
// Nothing that reads the topic and fills a table can be cheaper by much.
func ceiling(ctx context.Context, p place, u *usage) error {
	consumer, err := kgo.NewClient(kgo.SeedBrokers(p.Brokers), kgo.ConsumeTopics(topicEvents), kgo.ConsumerGroup(p.Group),
		kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxBytes(8<<20), kgo.FetchMaxPartitionBytes(1<<20))
	if err != nil {
		return err
	}
	defer consumer.Close()
	client, err := clickhouse.Open(clickhouse.Options{DSN: p.DSN, Compression: clickhouse.LZ4, MaxInserts: 1})
	if err != nil {
		return err
	}
	defer client.Close()
	columns := make([]*clickhouse.Column, 0, 3)
	for _, c := range [][2]string{{"partition", "Int32"}, {"offset", "Int64"}, {"body", "String"}} {
		typ, err := clickhouse.ParseType(c[1])
		if err != nil {
			return err
		}
		columns = append(columns, clickhouse.NewColumn(c[0], typ))
	}
	w := &rawWriter{client: client, block: clickhouse.NewBlock(columns...)}
	u.Start = cpu()
	for {
		fetches := poll(ctx, consumer)
		if ctx.Err() != nil {
			return nil
		}
		fetches.EachRecord(w.add)
		if fetches.NumRecords() > 0 && w.block.Rows() < ceilingRows {
			continue
		}
		if err := w.flush(ctx); err != nil {
			return err
		}
		if err := consumer.CommitUncommittedOffsets(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// idle is how long the ceiling waits for more before it writes what it has.
const idle = 200 * time.Millisecond

func poll(ctx context.Context, consumer *kgo.Client) kgo.Fetches {
	ctx, cancel := context.WithTimeout(ctx, idle)
	defer cancel()
	return consumer.PollFetches(ctx)
}

type rawWriter struct {
	client *clickhouse.Client
	block  *clickhouse.Block
	sent   int
}

func (w *rawWriter) add(rec *kgo.Record) {
	w.block.Column(0).AppendInt(int64(rec.Partition))
	w.block.Column(1).AppendInt(rec.Offset)
	w.block.Column(2).AppendText(rec.Value)
}

func (w *rawWriter) flush(ctx context.Context) error {
	if w.block.Rows() == 0 {
		return nil
	}
	w.sent++
	defer w.block.Reset()
	return w.client.Insert(ctx, clickhouse.Insert{Table: "raw", Block: w.block, Token: fmt.Sprint(w.sent), QueryID: fmt.Sprintf("raw-%d", w.sent)})
}
