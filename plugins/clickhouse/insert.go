package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/crash"
)

// codeRefused is the code of a row the server itself refuses for one of its values.
const codeRefused = "clickhouse.refused"

// maxRepairs bounds how often one call inserts what is missing; after that the chunk comes again.
const maxRepairs = 3

var errVanished = errors.New("the server confirmed the insert, but rows are missing from the table")

// insertWanted inserts the wanted records of the chunk. Where there was doubt about what the table holds, rows are
// read back afterwards, because a server that remembers the token drops the rows and says nothing; what is missing
// then goes in under a token of its own.
func (o *output) insertWanted(ctx context.Context, p *partition, c *chunk, doubtful bool, inTable int) error {
	for range maxRepairs {
		rows := wantedRows(c)
		if len(rows) == 0 {
			return nil
		}
		token := c.token(o.cfg.destination)
		if n := inTable + p.doubts; n > 0 {
			token = fmt.Sprintf("%s#%d", token, n)
		}
		if err := o.insert(ctx, c, rows, token); err != nil {
			return err
		}
		if !doubtful {
			return nil
		}
		n, err := o.markPresent(ctx, c)
		if err != nil {
			return err
		}
		if len(wantedRows(c)) == 0 {
			return nil
		}
		if n == inTable {
			p.doubts++
		}
		inTable = n
	}
	return errVanished
}

func wantedRows(c *chunk) []int {
	rows := make([]int, 0, len(c.records))
	for i := range c.records {
		if c.records[i].fate == wanted {
			rows = append(rows, i)
		}
	}
	return rows
}

// insert sends the rows as one insert. When the server refuses a value, the rows are halved until the records at
// fault stand alone: those are named, the others are in, and the chunk comes again.
func (o *output) insert(ctx context.Context, c *chunk, rows []int, token string) error {
	err := o.insertOnce(ctx, c, rows, token)
	if !clickhouse.Permanent(err) {
		return err
	}
	bad := &refusals{}
	if err := o.isolate(ctx, c, rows, token, err, bad); err != nil {
		return err
	}
	return bad.err()
}

func (o *output) isolate(ctx context.Context, c *chunk, rows []int, token string, cause error, bad *refusals) error {
	if len(rows) == 1 {
		bad.add(codeRefused, c.records[rows[0]].ref, cause)
		return nil
	}
	middle := len(rows) / 2
	for i, half := range [][]int{rows[:middle], rows[middle:]} {
		part := fmt.Sprintf("%s/%d", token, i)
		err := o.insertOnce(ctx, c, half, part)
		if clickhouse.Permanent(err) {
			err = o.isolate(ctx, c, half, part, err, bad)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *output) insertOnce(ctx context.Context, c *chunk, rows []int, token string) error {
	w := c.layout.take()
	defer c.layout.give(w)
	w.log = o.cfg.log
	started := time.Now()
	block, err := w.build(c, rows, started)
	if err != nil {
		return err
	}
	crash.At(crash.BeforeInsert)
	err = o.client.Insert(ctx, clickhouse.Insert{Table: o.cfg.table, Block: block, Token: token, QueryID: o.queryID(c.partitionKey, "rows")})
	crash.At(crash.AfterInsert)
	o.metrics.insert.Timing(time.Since(started).Nanoseconds(), o.cfg.destination)
	if err != nil {
		o.drifted(err)
		return fmt.Errorf("inserting chunk %s/%d@%d-%d: %w", c.topic, c.partition, c.first, c.last, err)
	}
	return nil
}
