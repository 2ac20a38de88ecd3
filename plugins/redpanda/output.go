package redpanda

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/crash"
	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// output writes batches to topics. It is safe for concurrent use.
type output struct {
	client      *kafka.Client
	topic, key  *field
	metadata    *service.MetadataFilter
	partitioner kgo.Partitioner
	codec       kgo.CompressionCodec
	maxBytes    int64
	timeout     time.Duration
	maxInFlight int
	topics      *topics.Set

	log     *service.Logger
	metrics *outputMetrics
	tracer  *hop.Tracer
	hops    *hop.Log

	mu     sync.Mutex
	cl     atomic.Pointer[kgo.Client]
	limits atomic.Pointer[map[string]int64] // the largest record of a topic, as far as is known
	shown  map[string]shown                 // where the broker turned out to take less than was known
}

func newOutput(conf *service.ParsedConfig, mgr *service.Resources) (*output, error) {
	o := &output{
		log: mgr.Logger(), tracer: hop.NewTracer(mgr.OtelTracer()),
		shown: map[string]shown{},
	}
	o.limits.Store(&map[string]int64{})
	var err error
	if o.client, err = kafka.ParseClient(conf, mgr); err != nil {
		return nil, err
	}
	if o.topic, err = newField(conf, roFieldTopic); err != nil {
		return nil, err
	}
	if o.key, err = newField(conf, roFieldKey); err != nil {
		return nil, err
	}
	if conf.Contains(roFieldMetadata) {
		if o.metadata, err = conf.FieldMetadataFilter(roFieldMetadata); err != nil {
			return nil, err
		}
	}
	if o.hops, err = hop.ParseLog(conf, mgr.Logger()); err != nil {
		return nil, err
	}
	if err := o.parseProducer(conf); err != nil {
		return nil, err
	}
	dir, err := conf.FieldString(roFieldWorkspace)
	if err != nil {
		return nil, err
	}
	if o.topics, err = loadTopics(mgr, dir); err != nil {
		return nil, err
	}
	o.metrics = newOutputMetrics(mgr.Metrics(), o.topics)
	return o, nil
}

func (o *output) parseProducer(conf *service.ParsedConfig) (err error) {
	if o.maxBytes, err = parseSize(conf, roFieldMaxBytes); err != nil {
		return err
	}
	if o.timeout, err = kafka.ParseDuration(conf, roFieldTimeout); err != nil {
		return err
	}
	if o.maxInFlight, err = conf.FieldInt(roFieldMaxInFlight); err != nil {
		return err
	}
	idempotent, err := conf.FieldBool(roFieldIdempotent)
	if err != nil {
		return err
	}
	if !idempotent || o.maxInFlight < 1 {
		return errors.New("reading idempotent_write and max_in_flight: the first cannot be turned off, the second must be at least 1")
	}
	partitioner, err := conf.FieldString(roFieldPartitioner)
	if err != nil {
		return err
	}
	switch partitioner {
	case partitionerRoundRobin:
		o.partitioner = kgo.RoundRobinPartitioner()
	case partitionerSticky:
		o.partitioner = kgo.LeastBackupPartitioner()
	default:
		o.partitioner = kgo.StickyKeyPartitioner(nil)
	}
	codec, err := conf.FieldString(roFieldCompression)
	if err != nil {
		return err
	}
	o.codec = map[string]kgo.CompressionCodec{
		"lz4": kgo.Lz4Compression(), "snappy": kgo.SnappyCompression(), "gzip": kgo.GzipCompression(),
		"zstd": kgo.ZstdCompression(), "none": kgo.NoCompression(),
	}[codec]
	return nil
}

// loadTopics reads what topics are for. Without that nobody could tell what must be sealed, so an
// output without it refuses to start.
func loadTopics(mgr *service.Resources, dir string) (*topics.Set, error) {
	path := filepath.Join(dir, "topics.yaml")
	src, err := fs.ReadFile(mgr.FS(), path)
	if err != nil {
		return nil, fmt.Errorf("reading what topics are for: %w; set workspace to the folder of topics.yaml", err)
	}
	set, err := topics.Parse(src, path)
	if err != nil {
		return nil, fmt.Errorf("reading what topics are for: %w", err)
	}
	return set, nil
}

// Connect finds the brokers.
func (o *output) Connect(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cl.Load() != nil {
		return nil
	}
	opts := append(o.client.Options(),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(o.codec, kgo.NoCompression()),
		kgo.RecordPartitioner(o.partitioner),
		kgo.ProduceRequestTimeout(o.timeout),
		kgo.RecordDeliveryTimeout(6*o.timeout),
		kgo.ProducerBatchMaxBytesFn(func(topic string) int32 { return int32(o.limit(topic)) }),
		kgo.ProducerLinger(0),
	)
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, preflightTimeout)
	defer cancel()
	if err := cl.Ping(ctx); err != nil {
		cl.Close()
		return fmt.Errorf("reaching the brokers: %w", explain(err))
	}
	o.learnLimits(ctx, cl)
	o.cl.Store(cl)
	return nil
}

// Close drops what is still being written: its batches were not acknowledged.
func (o *output) Close(context.Context) error {
	if cl := o.cl.Swap(nil); cl != nil {
		cl.Close()
	}
	return nil
}

// ConnectionTest tells whether the brokers answer.
func (o *output) ConnectionTest(ctx context.Context) service.ConnectionTestResults {
	cl, err := kgo.NewClient(o.client.Options()...)
	if err != nil {
		return service.ConnectionTestFailed(err).AsList()
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, preflightTimeout)
	defer cancel()
	if err := cl.Ping(ctx); err != nil {
		return service.ConnectionTestFailed(explain(err)).AsList()
	}
	return service.ConnectionTestSucceeded().AsList()
}

// WriteBatch returns nil once every record is durable. Any error is of the whole batch.
func (o *output) WriteBatch(ctx context.Context, batch service.MessageBatch) error {
	cl := o.cl.Load()
	if cl == nil {
		return service.ErrNotConnected
	}
	batch, packing := stage.Unpack(batch)
	records, err := o.records(batch)
	if err != nil {
		o.metrics.failed.Incr(1)
		return err
	}
	spans := o.beginSends(batch, records)
	crash.At(crash.BeforeProduce)
	err = o.produce(ctx, cl, batch, records)
	crash.At(crash.AfterProduce)
	spans.end(records, err)
	if err != nil {
		o.metrics.failed.Incr(1)
		return err
	}
	o.metrics.wrote(records)
	land(batch, records)
	o.logHops(batch, records)
	packing.Written()
	return nil
}
