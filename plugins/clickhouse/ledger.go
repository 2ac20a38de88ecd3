package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/crash"
)

// noMark is the high-water mark of a partition that has none.
const noMark = int64(-1)

// sourceKey is a partition that events enter the pipelines by.
type sourceKey struct {
	topic     string
	partition int32
}

// text is the form in which the ledger keeps a source and its highest offset: topic/partition@offset. None of the
// separators can occur in a topic's name; what an event claims to be its origin may hold anything.
func (k sourceKey) text(offset int64) string {
	return fmt.Sprintf("%s/%d@%d", k.topic, k.partition, offset)
}

var errSource = errors.New("reading ebbgate_chunks: a source is malformed")

func parseSource(text string) (k sourceKey, offset int64, err error) {
	i := strings.LastIndexByte(text, '@')
	j := strings.LastIndexByte(text[:max(i, 0)], '/')
	if j < 0 {
		return k, 0, errSource
	}
	topic, partition, at := text[:j], text[j+1:i], text[i+1:]
	n, err1 := strconv.ParseInt(partition, 10, 32)
	offset, err2 := strconv.ParseInt(at, 10, 64)
	if err1 != nil || err2 != nil {
		return k, 0, errSource
	}
	return sourceKey{topic, int32(n)}, offset, nil
}

// loadMark reads where the partition stands: the last offset of its last chunk that is in, and the highest offset
// taken of every source partition.
func (o *output) loadMark(ctx context.Context, key partitionKey) (mark int64, taken map[sourceKey]int64, err error) {
	mark, taken = noMark, map[sourceKey]int64{}
	query := "SELECT last, sources FROM " + ledgerTable + " WHERE destination = ? AND topic = ? AND partition = ? AND epoch = ? ORDER BY last DESC, committed_at DESC LIMIT 1"
	err = o.lookup(ctx, query, []any{o.cfg.destination, key.topic, key.partition, key.epoch}, func(scan func(...any) error) error {
		var sources []string
		if err := scan(&mark, &sources); err != nil {
			return err
		}
		for _, text := range sources {
			source, offset, err := parseSource(text)
			if err != nil {
				return err
			}
			taken[source] = offset
		}
		return nil
	})
	if err != nil {
		return noMark, nil, fmt.Errorf("reading the high-water mark: %w", err)
	}
	return mark, taken, nil
}

var ledgerColumns = []tableColumn{
	{"destination", "LowCardinality(String)"},
	{"topic", "LowCardinality(String)"},
	{"partition", "Int32"},
	{"epoch", "UInt32"},
	{"first", "Int64"},
	{"last", "Int64"},
	{"token", "String"},
	{"rows", "UInt32"},
	{"delivered", "UInt32"},
	{"denied_at_export", "UInt32"},
	{"repeated", "UInt32"},
	{"settled", "UInt32"},
	{"denied_events", "Array(String)"},
	{"denied_names", "Array(String)"},
	{"denied_reasons", "Array(String)"},
	{"sources", "Array(String)"},
	{"committed_at", "DateTime64(3, 'UTC')"},
}

// commit records that the chunk is in completely. It has a token of its own, so a repeat is one row as well.
func (o *output) commit(ctx context.Context, c *chunk, taken map[sourceKey]int64) error {
	columns := make([]*clickhouse.Column, len(ledgerColumns))
	for i, col := range ledgerColumns {
		typ, err := clickhouse.ParseType(col.typ)
		if err != nil {
			return err
		}
		columns[i] = clickhouse.NewColumn(col.name, typ)
	}
	token := c.token(o.cfg.destination)
	for i, text := range map[int]string{0: o.cfg.destination, 1: c.topic, 6: token} {
		columns[i].AppendText([]byte(text))
	}
	numbers := map[int]int64{
		2: int64(c.partition), 3: int64(c.epoch), 4: c.first, 5: c.last,
		7: int64(len(c.records) + c.settled), 8: int64(c.count(wanted) + c.count(present)),
		9: int64(c.count(denied)), 10: int64(c.count(repeated)), 11: int64(c.settled),
	}
	for i, n := range numbers {
		columns[i].AppendInt(n)
	}
	w := c.layout.take()
	for i := range c.records {
		if r := &c.records[i]; r.fate == denied {
			columns[12].AppendElement([]byte(r.sealed.EventID))
			columns[13].AppendElement(w.eventName(r))
			columns[14].AppendElement([]byte(r.reason))
		}
	}
	c.layout.give(w)
	for _, text := range sourceTexts(taken) {
		columns[15].AppendElement([]byte(text))
	}
	for _, col := range columns[12:16] {
		col.EndArray()
	}
	columns[16].AppendTime(time.Now())
	crash.At(crash.BeforeMark)
	err := o.client.Insert(ctx, clickhouse.Insert{
		Table: ledgerTable, Block: clickhouse.NewBlock(columns...), Token: "mark|" + token, QueryID: o.queryID(c.partitionKey, "mark"),
	})
	crash.At(crash.AfterMark)
	if err != nil {
		return fmt.Errorf("recording the chunk in %s: %w", ledgerTable, err)
	}
	return nil
}

func sourceTexts(taken map[sourceKey]int64) []string {
	texts := make([]string, 0, len(taken))
	for source, offset := range taken {
		texts = append(texts, source.text(offset))
	}
	slices.Sort(texts)
	return texts
}
