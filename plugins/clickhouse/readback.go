package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
)

// lookupSize bounds how many values one query names, to stay below the server's default max_query_size.
const lookupSize = 2000

// errOffsetReused is wrapped when the table holds another event at an offset: the topic was made anew under its old
// name, so its offsets mean other records.
var errOffsetReused = errors.New("the table holds other events at these offsets, so the topic was probably deleted and made again: replay it with a new epoch, or under a new name")

// rowKey is what the table says of the row at an offset.
type rowKey struct {
	eventID string
	epoch   uint32
}

// rowsAt reads back which offsets of the chunk are rows.
func (o *output) rowsAt(ctx context.Context, c *chunk) (map[int64]rowKey, error) {
	rows := map[int64]rowKey{}
	query := "SELECT offset, " + o.cfg.shape().identity + ", replay_epoch FROM " + clickhouse.Quote(o.cfg.table) + " WHERE topic = ? AND partition = ? AND offset BETWEEN ? AND ?"
	err := o.lookup(ctx, query, []any{c.topic, c.partition, c.first, c.last}, func(scan func(...any) error) error {
		var offset int64
		var row rowKey
		err := scan(&offset, &row.eventID, &row.epoch)
		rows[offset] = row
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the chunk's rows back: %w", err)
	}
	return rows, nil
}

// markPresent gives the records that are rows already their fate and counts them.
func (o *output) markPresent(ctx context.Context, c *chunk) (int, error) {
	rows, err := o.rowsAt(ctx, c)
	if err != nil {
		return 0, err
	}
	for i := range c.records {
		r := &c.records[i]
		row, ok := rows[r.ref.Offset]
		if ok && row.eventID != r.sealed.EventID {
			return 0, fmt.Errorf("reading the chunk %s/%d@%d-%d back: %w", c.topic, c.partition, c.first, c.last, errOffsetReused)
		}
		if !ok || r.fate != wanted {
			continue
		}
		// A row that the live stream or another replay brought is not of this chunk's making.
		r.fate = present
		if row.epoch != c.epoch {
			r.fate = repeated
		}
	}
	return len(rows), nil
}

// dropRepeats finds the records whose event the table has already as the row of another record. progress is what
// trace found.
func (o *output) dropRepeats(ctx context.Context, c *chunk, p progress) error {
	if c.epoch > 0 {
		return o.dropKnownEvents(ctx, c)
	}
	for part := range slices.Chunk(p.suspects, lookupSize) {
		known, err := o.knownOf(ctx, c, part)
		if err != nil {
			return err
		}
		for _, i := range part {
			if r := &c.records[i]; known[r.identity()] && r.fate == wanted {
				r.fate = repeated
			}
		}
	}
	if p.disorder {
		dropWithin(c, func(r *record) (identity, bool) { return r.identity(), r.sealed.SrcTopic != "" })
	}
	return nil
}

// identity tells an event from every other: where it entered the pipelines and, as one record there may have become several
// events, its id.
type identity struct {
	sourceKey
	offset  int64
	eventID string
}

func (r *record) identity() identity {
	return identity{r.source(), r.sealed.SrcOffset, r.sealed.EventID}
}

func (r *record) source() sourceKey { return sourceKey{r.sealed.SrcTopic, r.sealed.SrcPartition} }

// progress is how far a chunk takes its sources.
type progress struct {
	taken    map[sourceKey]int64 // highest offset of each, this chunk included
	suspects []int               // records not above the highest before the chunk: the table may have them
	disorder bool                // a record is not above the highest before it: the chunk may have it twice
}

// trace follows the source positions through the chunk. A record that is not above the highest position taken before
// it may be a repeat; it may as well have been overtaken, so only the table, or the chunk, can tell.
func (c *chunk) trace(before map[sourceKey]int64) progress {
	p := progress{taken: maps.Clone(before)}
	if p.taken == nil {
		p.taken = map[sourceKey]int64{}
	}
	for i := range c.records {
		r := &c.records[i]
		if r.sealed.SrcTopic == "" {
			continue
		}
		source, offset := r.source(), r.sealed.SrcOffset
		if highest, ok := before[source]; ok && offset <= highest {
			p.suspects = append(p.suspects, i)
		}
		if highest, ok := p.taken[source]; !ok || offset > highest {
			p.taken[source] = offset
		} else {
			p.disorder = true
		}
	}
	return p
}

// dropWithin drops all but the first of the chunk's records that share an identity.
func dropWithin[K comparable](c *chunk, identity func(*record) (K, bool)) {
	seen := make(map[K]bool, len(c.records))
	for i := range c.records {
		r := &c.records[i]
		id, ok := identity(r)
		if !ok || (r.fate != wanted && r.fate != present) {
			continue
		}
		if seen[id] && r.fate == wanted {
			r.fate = repeated
		}
		seen[id] = true
	}
}

// knownOf tells which of the events from the source positions of the records numbered in at are rows.
func (o *output) knownOf(ctx context.Context, c *chunk, at []int) (map[identity]bool, error) {
	known := map[identity]bool{}
	query := "SELECT src_topic, src_partition, src_offset, " + o.cfg.shape().identity + " FROM " + clickhouse.Quote(o.cfg.table) + " WHERE " + positions(c, at)
	err := o.lookup(ctx, query, nil, func(scan func(...any) error) error {
		var row identity
		err := scan(&row.topic, &row.partition, &row.offset, &row.eventID)
		known[row] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for repeats by source position: %w", err)
	}
	return known, nil
}

// positions is the condition that a row came from the source position of one of the records. It names offsets by IN, as the
// table's index of them needs it.
func positions(c *chunk, at []int) string {
	offsets := map[sourceKey][]string{}
	for _, i := range at {
		r := &c.records[i]
		offsets[r.source()] = append(offsets[r.source()], strconv.FormatInt(r.sealed.SrcOffset, 10))
	}
	conditions := make([]string, 0, len(offsets))
	for source, texts := range offsets {
		conditions = append(conditions, "(src_topic = "+clickhouse.Literal(source.topic)+
			" AND src_partition = "+strconv.Itoa(int(source.partition))+" AND src_offset IN ("+strings.Join(texts, ",")+"))")
	}
	return strings.Join(conditions, " OR ")
}

// dropKnownEvents drops, in a replay, every record whose event id is a row already.
func (o *output) dropKnownEvents(ctx context.Context, c *chunk) error {
	var ids []string
	for i := range c.records {
		if r := &c.records[i]; r.fate == wanted {
			ids = append(ids, clickhouse.Literal(r.sealed.EventID))
		}
	}
	known := map[string]bool{}
	for part := range slices.Chunk(ids, lookupSize) {
		column := o.cfg.shape().identity
		query := "SELECT DISTINCT " + column + " FROM " + clickhouse.Quote(o.cfg.table) + " WHERE " + column + " IN (" + strings.Join(part, ",") + ")"
		err := o.lookup(ctx, query, nil, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			known[id] = true
			return err
		})
		if err != nil {
			return fmt.Errorf("looking for replayed events: %w", err)
		}
	}
	for i := range c.records {
		if r := &c.records[i]; r.fate == wanted && known[r.sealed.EventID] {
			r.fate = repeated
		}
	}
	dropWithin(c, func(r *record) (string, bool) { return r.sealed.EventID, true })
	return nil
}

// lookup runs a query about rows so that it sees every insert that was confirmed, whichever replica confirmed it.
func (o *output) lookup(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	switch family(o.family.Load()) {
	case replicated:
		for _, table := range []string{o.cfg.table, ledgerTable} {
			if err := o.client.Exec(ctx, "SYSTEM SYNC REPLICA "+clickhouse.Quote(table)+" LIGHTWEIGHT"); err != nil {
				return fmt.Errorf("waiting for the replica to catch up: %w", err)
			}
		}
	case shared:
		query += " SETTINGS select_sequential_consistency = 1"
	}
	return o.client.Query(ctx, query, args, row)
}
