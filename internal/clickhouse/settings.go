package clickhouse

import (
	"context"
	"strconv"
	"strings"
	"time"
)

type setting struct{ name, value string }

// minBlockRows is at least the server's own default, below which it would join our block with nothing.
const minBlockRows = 1 << 20

// insertSettings say that the block goes in synchronously, as one block and under its own token, whatever the user's
// profile or the DSN say.
func insertSettings(ctx context.Context, in *Insert) []setting {
	settings := []setting{
		{"async_insert", "0"},
		{"insert_deduplicate", "1"},
		{"insert_deduplication_token", in.Token},
		{"max_insert_block_size", strconv.Itoa(max(minBlockRows, in.Block.Rows()))},
		{"max_partitions_per_insert_block", "0"},
	}
	if deadline, ok := ctx.Deadline(); ok {
		// An insert whose sender has given up must end by itself: the next attempt waits until it has.
		seconds := int(time.Until(deadline)/time.Second) + 1
		settings = append(settings, setting{"max_execution_time", strconv.Itoa(max(1, seconds))})
	}
	return settings
}

func insertStatement(in *Insert) string {
	var b strings.Builder
	b.WriteString("INSERT INTO ")
	b.WriteString(Quote(in.Table))
	b.WriteString(" (")
	for i, c := range in.Block.cols {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Quote(c.name))
	}
	b.WriteByte(')')
	return b.String()
}
