package clickhouse

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// trustFor is how long after a chunk's commit this process may take for granted that nobody else wrote the partition
// since. A rebalance to another owner and back that also left an insert behind takes longer.
const trustFor = 5 * time.Second

// partition is what this process knows of one partition's progress. Chunks of a partition come one at a time; the
// lock only makes sure.
type partition struct {
	mu      sync.Mutex
	mark    int64
	taken   map[sourceKey]int64
	trusted time.Time // until when mark and taken need not be read again
	doubts  int       // inserts in a row that the server confirmed and that are not there
}

// distrust makes the next chunk read back what is there.
func (p *partition) distrust() { p.trusted = time.Time{} }

func (o *output) partition(key partitionKey) *partition {
	o.mu.Lock()
	defer o.mu.Unlock()
	p, ok := o.partitions[key]
	if !ok {
		p = &partition{mark: noMark}
		o.partitions[key] = p
	}
	return p
}

// deliver brings the chunk to its end, or returns an error after which it must come again. Nothing is taken for done
// before the ledger says so.
func (o *output) deliver(ctx context.Context, c *chunk) error {
	p := o.partition(c.partitionKey)
	p.mu.Lock()
	defer p.mu.Unlock()
	// A chunk that does not follow the last one means that somebody else delivered in between.
	doubtful := !time.Now().Before(p.trusted) || c.first != p.mark+1
	p.distrust() // until the end is reached
	if doubtful {
		if err := o.catchUp(ctx, p, c.partitionKey); err != nil {
			return err
		}
	}
	if c.last <= p.mark {
		return o.acknowledge(ctx, p, c)
	}
	inTable := 0
	if doubtful || c.first <= p.mark {
		n, err := o.markPresent(ctx, c)
		if err != nil {
			return err
		}
		doubtful, inTable = true, n
	}
	progress := c.trace(p.taken)
	if err := o.dropRepeats(ctx, c, progress); err != nil {
		return err
	}
	if err := o.judge(ctx, c); err != nil {
		return err
	}
	if err := o.insertWanted(ctx, p, c, doubtful, inTable); err != nil {
		return err
	}
	if err := o.recordDenials(ctx, c); err != nil {
		return err
	}
	if err := o.commit(ctx, c, progress.taken); err != nil {
		return err
	}
	p.mark, p.taken, p.doubts = c.last, progress.taken, 0
	p.trusted = time.Now().Add(trustFor)
	o.metrics.delivered(c)
	o.logHops(c)
	return nil
}

// catchUp waits until no insert of the partition is under way, whoever sent it, and reads the mark.
func (o *output) catchUp(ctx context.Context, p *partition, key partitionKey) error {
	n, err := o.client.InFlight(ctx, tokenPrefix(o.cfg.destination, key))
	if err != nil {
		return fmt.Errorf("looking for inserts still under way: %w", err)
	}
	if n > 0 {
		return fmt.Errorf("waiting for %d inserts of %s/%d that are still under way", n, key.topic, key.partition)
	}
	p.mark, p.taken, err = o.loadMark(ctx, key)
	return err
}

// acknowledge ends a chunk that is in completely, once its rows have shown that it is the same chunk.
func (o *output) acknowledge(ctx context.Context, p *partition, c *chunk) error {
	if _, err := o.markPresent(ctx, c); err != nil {
		return err
	}
	p.trusted = time.Now().Add(trustFor)
	return nil
}
