package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// output is safe for concurrent use; chunks of one partition are serialised.
type output struct {
	cfg     config
	metrics *metrics
	client  *clickhouse.Client

	layout  atomic.Pointer[layout] // nil until the table has been read, and after the server refused an insert
	family  atomic.Uint32
	queries atomic.Uint64

	mu         sync.Mutex
	partitions map[partitionKey]*partition
	needs      map[needKey]*requirement // in the numbers of needsOf's dictionary
	needsOf    *layout
	records    bool // whether the output for records that are no rows has begun

	chunks sync.Pool
}

func newOutput(cfg config, m *service.Metrics) (*output, error) {
	if err := checkColumns(cfg.columns); err != nil {
		return nil, err
	}
	client, err := clickhouse.Open(clickhouse.Options{
		DSN: cfg.dsn, Database: cfg.database, Compression: cfg.compression, Timeout: cfg.timeout, MaxInserts: cfg.maxInFlight,
	})
	if err != nil {
		return nil, err
	}
	o := &output{cfg: cfg, metrics: newMetrics(m, cfg.destination), client: client, partitions: map[partitionKey]*partition{}}
	o.chunks.New = func() any { return new(chunk) }
	return o, nil
}

// Connect reads the tables' shape. The engine calls it until it succeeds, so a table that is missing or unsuitable is
// reported again and again, with what to do, while nothing is consumed.
func (o *output) Connect(ctx context.Context) error {
	if err := o.client.Ping(ctx); err != nil {
		return err
	}
	if err := o.openRecords(); err != nil {
		return err
	}
	return o.checkTable(ctx)
}

// openRecords begins the output for records that are no rows. Closing one that never began would wait for its end until the
// process is cut off.
func (o *output) openRecords() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cfg.records == nil || o.records {
		return nil
	}
	o.records = true
	return o.cfg.records.Prime()
}

// WriteBatch brings one chunk to its end. See the package comment.
func (o *output) WriteBatch(ctx context.Context, batch service.MessageBatch) error {
	batch, packing := stage.Unpack(batch)
	c := o.chunks.Get().(*chunk)
	defer o.release(c)
	spans := o.cfg.tracer.Deliver(batch, o.cfg.destination)
	err := o.write(ctx, batch, c)
	for _, span := range spans {
		hop.End(span, err)
	}
	o.metrics.failed(err)
	if err == nil {
		packing.Written()
	}
	return err
}

// release keeps the chunk's memory but none of the records.
func (o *output) release(c *chunk) {
	clear(c.records)
	clear(c.read)
	clear(c.others)
	o.chunks.Put(c)
}

func (o *output) write(ctx context.Context, batch service.MessageBatch, c *chunk) error {
	if err := readChunk(batch, c, o.elsewhere); err != nil {
		return err
	}
	if o.cfg.audit != nil {
		if err := o.cfg.audit.check(c); err != nil {
			return err
		}
	}
	if err := o.setApart(ctx, c); err != nil {
		return err
	}
	return o.mine(o.finish(ctx, c))
}

// finish brings the records of the destination to their end.
func (o *output) finish(ctx context.Context, c *chunk) error {
	if err := o.verify(c); err != nil {
		return err
	}
	if o.layout.Load() == nil {
		if err := o.checkTable(ctx); err != nil {
			return err
		}
	}
	if o.cfg.audit != nil {
		if c.layout = o.layout.Load(); c.layout == nil {
			return errStale
		}
		return o.deliver(ctx, c)
	}
	c.rules = o.cfg.rules()
	if err := o.require(c); err != nil {
		return err
	}
	return o.deliver(ctx, c)
}

// require gives the chunk a layout and every record what it relied on, in the numbers of that layout's dictionary.
// Where a gate names fields the workspace does not know, because the record was authorized under another version of
// it, the dictionary grows first.
func (o *output) require(c *chunk) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		l := o.layout.Load()
		if l == nil {
			return errStale
		}
		missing, err := o.assign(c, l)
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			c.layout = l
			return nil
		}
		wider, err := l.with(missing)
		if err != nil {
			return fmt.Errorf("reading ebbgate_requires: %w", err)
		}
		o.layout.Store(wider)
	}
}

// maxNeeds bounds what is remembered: a policy has few distinct requirements.
const maxNeeds = 4096

func (o *output) assign(c *chunk, l *layout) (missing []string, err error) {
	if o.needsOf != l || len(o.needs) > maxNeeds {
		o.needs, o.needsOf = map[needKey]*requirement{}, l
	}
	var last needKey
	for i := range c.records {
		r := &c.records[i]
		key := needKey{r.sealed.Requires, c.rules.storage[r.sealed.Class]}
		if i > 0 && key == last { // most records of a chunk rely on the same
			r.need = c.records[i-1].need
			continue
		}
		last = key
		need, ok := o.needs[key]
		if !ok {
			var unknown []string
			if need, unknown, err = newRequirement(key.requires, key.storage, l.dict); err != nil {
				return nil, err
			}
			missing = append(missing, unknown...)
			if need != nil {
				o.needs[key] = need
			}
		}
		r.need = need
	}
	return missing, nil
}

var errStale = errors.New("the table's columns have to be read again")

// queryID names one insert in the server's query log.
func (o *output) queryID(key partitionKey, what string) string {
	return fmt.Sprintf("ebbgate|%s%s|%s|%d", tokenPrefix(o.cfg.destination, key), what, instance, o.queries.Add(1))
}

// Close gives up the connections. Chunks that are not acknowledged come again.
func (o *output) Close(ctx context.Context) error {
	if o.cfg.release != nil {
		o.cfg.release()
	}
	err := o.client.Close()
	if o.cfg.lookup != nil {
		err = errors.Join(err, o.cfg.lookup.Close(ctx))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.records {
		err = errors.Join(err, o.cfg.records.Close(ctx))
	}
	return err
}
