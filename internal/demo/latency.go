package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
)

// Latency is how long events took from being published to being in the answers of queries.
type Latency struct {
	Rows          int
	P50, P95, P99 time.Duration
}

// place is where a record lies.
type place struct {
	topic     string
	partition int32
	offset    int64
}

// latency compares when each record was published with when the sink had confirmed its chunk. It looks at the rows of this
// run, or of all runs when this one published nothing.
func (r *run) latency(ctx context.Context, conn driver.Conn) (Latency, error) {
	published, err := r.publishedAt(ctx)
	if err != nil {
		return Latency{}, err
	}
	since := r.begun
	if r.published == 0 {
		since = time.Time{}
	}
	chunks, err := readChunks(ctx, conn)
	if err != nil {
		return Latency{}, err
	}
	rows, err := conn.Query(ctx, "SELECT src_topic, src_partition, src_offset, topic, partition, offset FROM "+sinkTable+" WHERE replay_epoch = 0")
	if err != nil {
		return Latency{}, fmt.Errorf("reading where rows came from: %w", err)
	}
	defer rows.Close()
	var took []time.Duration
	for rows.Next() {
		var from, at place
		if err := rows.Scan(&from.topic, &from.partition, &from.offset, &at.topic, &at.partition, &at.offset); err != nil {
			return Latency{}, fmt.Errorf("reading where rows came from: %w", err)
		}
		sent, committed := published[from], chunks.committed(at)
		if !sent.Before(since) && !committed.IsZero() {
			took = append(took, committed.Sub(sent))
		}
	}
	return quantiles(took), rows.Err()
}

func quantiles(took []time.Duration) Latency {
	if len(took) == 0 {
		return Latency{}
	}
	slices.Sort(took)
	at := func(percent int) time.Duration { return took[min(len(took)-1, len(took)*percent/100)] }
	return Latency{Rows: len(took), P50: at(50), P95: at(95), P99: at(99)}
}

// publishedAt gives the time of every record on the topics where events enter.
func (r *run) publishedAt(ctx context.Context) (map[place]time.Time, error) {
	brokers := []kgo.Opt{kgo.SeedBrokers(r.endpoints.Brokers)}
	client, err := kgo.NewClient(brokers...)
	if err != nil {
		return nil, fmt.Errorf("opening a client: %w", err)
	}
	defer client.Close()
	published := map[place]time.Time{}
	plan := r.plan()
	for _, topic := range append(topicsOf(plan.Accepted), plan.Entrance) {
		err := books.EachRecord(ctx, brokers, kadm.NewClient(client), topic, func(rec *kgo.Record) {
			published[place{rec.Topic, rec.Partition, rec.Offset}] = rec.Timestamp
		})
		if err != nil {
			return nil, err
		}
	}
	return published, nil
}

func topicsOf(stages []books.Stage) (names []string) {
	for _, s := range stages {
		names = append(names, s.Topic)
	}
	return names
}

// chunks are the sink's, by partition, in order of offsets.
type chunks map[place][]chunk

type chunk struct {
	first, last int64
	committed   time.Time
}

func readChunks(ctx context.Context, conn driver.Conn) (chunks, error) {
	rows, err := conn.Query(ctx, "SELECT topic, partition, first, last, committed_at FROM ebbgate_chunks FINAL WHERE destination = $1 AND epoch = 0 ORDER BY first", sinkDestination)
	if err != nil {
		return nil, fmt.Errorf("reading the sink's chunks: %w", err)
	}
	defer rows.Close()
	out := chunks{}
	for rows.Next() {
		var of place
		var c chunk
		if err := rows.Scan(&of.topic, &of.partition, &c.first, &c.last, &c.committed); err != nil {
			return nil, fmt.Errorf("reading the sink's chunks: %w", err)
		}
		out[of] = append(out[of], c)
	}
	return out, rows.Err()
}

// committed is when the chunk with the record was in; zero if none has it.
func (c chunks) committed(at place) time.Time {
	list := c[place{topic: at.topic, partition: at.partition}]
	i, _ := slices.BinarySearchFunc(list, at.offset, func(c chunk, offset int64) int { return cmp.Compare(c.last, offset) })
	if i == len(list) || list[i].first > at.offset {
		return time.Time{}
	}
	return list[i].committed
}
