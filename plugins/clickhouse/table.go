package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
)

// ledgerTable is the sink's own table, beside the data.
const ledgerTable = "ebbgate_chunks"

// minWindow is the least deduplication window that covers the inserts that can be in doubt at one time.
const minWindow = 100

type tableColumn struct{ name, typ string }

// target is what the server says of the tables.
type target struct {
	columns []tableColumn
	family  family
}

// family is how replicas of a table come to agree, which decides how a read is made to see every confirmed insert.
type family uint32

const (
	single     family = iota // one server: nothing to do
	replicated               // the replica fetches what others have before it answers
	shared                   // the server offers sequential consistency
)

func familyOf(engine string) family {
	switch {
	case strings.HasPrefix(engine, "Replicated"):
		return replicated
	case strings.HasPrefix(engine, "Shared"):
		return shared
	}
	return single
}

// inspect reads the table's shape and refuses one that exactly-once cannot rest on; the error says what to do.
func inspect(ctx context.Context, client *clickhouse.Client, table string) (*target, error) {
	t := &target{}
	for _, name := range []string{table, ledgerTable} {
		family, err := inspectEngine(ctx, client, name)
		if err != nil {
			return nil, err
		}
		t.family = max(t.family, family)
	}
	ledger, err := inspectColumns(ctx, client, ledgerTable)
	if err != nil {
		return nil, err
	}
	for _, c := range ledgerColumns {
		if !slices.Contains(ledger, c) {
			return nil, fmt.Errorf("table %s has no column %s %s: run `ebbgate clickhouse apply`", ledgerTable, c.name, c.typ)
		}
	}
	t.columns, err = inspectColumns(ctx, client, table)
	return t, err
}

func inspectColumns(ctx context.Context, client *clickhouse.Client, table string) (columns []tableColumn, err error) {
	err = client.Query(ctx, "SELECT name, type FROM system.columns WHERE database = ? AND table = ? AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') ORDER BY position",
		[]any{client.Database(), table}, func(scan func(...any) error) error {
			var c tableColumn
			err := scan(&c.name, &c.typ)
			columns = append(columns, c)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading the columns of %s: %w", table, err)
	}
	return columns, nil
}

func inspectEngine(ctx context.Context, client *clickhouse.Client, table string) (family, error) {
	var engine, full string
	found := false
	err := client.Query(ctx, "SELECT engine, engine_full FROM system.tables WHERE database = ? AND name = ?",
		[]any{client.Database(), table}, func(scan func(...any) error) error {
			found = true
			return scan(&engine, &full)
		})
	if err != nil {
		return single, fmt.Errorf("looking for table %s: %w", table, err)
	}
	if !found {
		return single, fmt.Errorf("table %s is not in database %s: run `ebbgate clickhouse apply`", table, client.Database())
	}
	if !strings.HasSuffix(engine, "MergeTree") {
		return single, fmt.Errorf("table %s has engine %s: exactly-once needs a table of the MergeTree family, written to directly", table, engine)
	}
	kind := familyOf(engine)
	window, name := 0, "non_replicated_deduplication_window"
	if kind != single {
		window, name = 10000, "replicated_deduplication_window" // the server's default
	}
	if n, ok := settingOf(full, name); ok {
		window = n
	}
	if window < minWindow {
		return single, fmt.Errorf("table %s has %s = %d, so a repeated insert would be written twice: run `ALTER TABLE %s MODIFY SETTING %s = 10000`", table, name, window, table, name)
	}
	return kind, nil
}

func settingOf(engine, name string) (int, bool) {
	m := regexp.MustCompile(`\b` + name + `\s*=\s*(\d+)`).FindStringSubmatch(engine)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil
}

// checkTable plans the insert for the table as it is; every problem is in the error.
func (o *output) checkTable(ctx context.Context) error {
	t, err := inspect(ctx, o.client, o.cfg.table)
	if err != nil {
		return err
	}
	l, err := o.cfg.shape().layout(t.columns, o.cfg.columns, o.cfg.paths)
	if err != nil {
		return fmt.Errorf("table %s: %w", o.cfg.table, err)
	}
	o.layout.Store(l)
	o.family.Store(uint32(t.family))
	return nil
}

// drifted forgets the table's shape after the server refused an insert, so that it is read again before the next.
func (o *output) drifted(err error) {
	if _, refused := errors.AsType[*clickhouse.ServerError](err); refused && !clickhouse.Permanent(err) {
		o.layout.Store(nil)
	}
}
