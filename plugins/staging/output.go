package staging

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/postgres"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// output is safe for concurrent use; the gate makes its chunks take turns.
type output struct {
	cfg     config
	metrics *metrics
	pool    *pgxpool.Pool

	standing standing
	once     sync.Once // starts counting
	stop     context.CancelFunc
	counted  chan struct{}
}

func newOutput(cfg config, m *service.Metrics) (*output, error) {
	pool, err := pgxpool.ParseConfig(cfg.dsn)
	if err != nil {
		return nil, postgres.ErrDSN
	}
	pool.MaxConns = int32(cfg.maxInFlight)
	pool.AfterConnect = session(cfg.area)
	o := &output{cfg: cfg, metrics: newMetrics(m, cfg.destination), standing: newStanding(m)}
	if o.pool, err = pgxpool.NewWithConfig(context.Background(), pool); err != nil {
		return nil, errors.New("the pool of connections cannot be made: " + postgres.Reason(err).Error())
	}
	return o, nil
}

// Connect refuses a database that is not what staging.yaml says, with what is wrong. The engine calls it until it succeeds;
// meanwhile nothing is consumed.
func (o *output) Connect(ctx context.Context) error {
	conn, err := postgres.Connect(ctx, o.cfg.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	plan, err := postgres.MakePlan(ctx, conn, o.cfg.area, false)
	if err != nil {
		return err
	}
	if len(plan.Changes) > 0 {
		return fmt.Errorf("database %s is not what staging.yaml says: run `ebbgate staging plan`, then `ebbgate staging apply`: %s", plan.Database, strings.Join(postgres.Drifted(plan), "; "))
	}
	o.once.Do(func() {
		var counting context.Context
		counting, o.stop = context.WithCancel(context.WithoutCancel(ctx))
		o.counted = make(chan struct{})
		go o.keepCounting(counting, o.counted)
	})
	return nil
}

// WriteBatch brings one chunk to its end. See the package comment.
func (o *output) WriteBatch(ctx context.Context, batch service.MessageBatch) error {
	batch, packing := stage.Unpack(batch)
	spans := o.cfg.tracer.Deliver(batch, o.cfg.destination)
	err := o.write(ctx, batch)
	for _, span := range spans {
		hop.End(span, err)
	}
	o.metrics.failed(err)
	if err == nil {
		packing.Written()
	}
	return err
}

func (o *output) write(ctx context.Context, batch service.MessageBatch) error {
	c, err := readChunk(batch)
	if err != nil {
		return err
	}
	if o.cfg.stateTopics[c.of.Topic] {
		return o.sweep(ctx, c)
	}
	if err := o.verify(c); err != nil {
		return o.mine(err)
	}
	if err := o.require(c); err != nil {
		return err
	}
	if err := o.deliver(ctx, c); err != nil {
		return o.mine(err)
	}
	o.logHops(c)
	return nil
}

// mine says of a permanent error that it is about this destination alone: others have what is theirs.
func (o *output) mine(err error) error {
	if permanent, ok := errors.AsType[*stage.PermanentError](err); ok {
		permanent.Destination = o.cfg.destination
	}
	return err
}

// errUnavailable is wrapped by what PostgreSQL or the way to it said. All of it is waited for: values were checked before,
// so what the server refuses is for an operator to mend.
var errUnavailable = errors.New("the staging database could not do it")

func unavailable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Neither detail nor message of a data error: they quote the row.
		if class := refused.Code[:2]; class == "22" || class == "23" {
			return fmt.Errorf("%w: table %s, column %s, constraint %s refused a value (SQLSTATE %s)", errUnavailable, refused.TableName, refused.ColumnName, refused.ConstraintName, refused.Code)
		}
	}
	return fmt.Errorf("%w: %w", errUnavailable, postgres.Reason(err))
}

// logHops logs the sampled events of a chunk that is in.
func (o *output) logHops(c *chunk) {
	if o.cfg.hops == nil {
		return
	}
	for i := range c.records {
		r := &c.records[i]
		outcome := "delivered"
		if r.denied != "" {
			outcome = "denied"
		}
		if hop.Sampled(o.cfg.hops, r.sealed.EventID) {
			o.cfg.hops.Write(hop.Line{
				EventID: r.sealed.EventID, CorrelationID: r.sealed.CorrelationID, Topic: c.of.Topic, Partition: c.of.Partition,
				Offset: r.ref.Offset, Destination: o.cfg.destination, Outcome: outcome, Attempt: c.of.Attempt,
			})
		}
	}
}

// Close gives up the connections. Chunks that are not acknowledged come again.
func (o *output) Close(ctx context.Context) error {
	if o.cfg.release != nil {
		o.cfg.release()
	}
	if o.stop != nil {
		o.stop()
		<-o.counted
	}
	o.pool.Close()
	return o.cfg.lookup.Close(ctx)
}
