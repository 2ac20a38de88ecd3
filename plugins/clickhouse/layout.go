package clickhouse

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/event"
)

// origin is what a column is filled from: an event path, or something known about the record.
type origin uint8

const (
	fromPath origin = iota
	fromTopic
	fromPartition
	fromOffset
	fromSrcTopic
	fromSrcPartition
	fromSrcOffset
	fromEventID
	fromCorrelationID
	fromClass
	fromPolicyVersion
	fromConsentVersion
	fromReplayEpoch
	fromInsertedAt
	fromSubjectKey
	fromDecidedAt
)

var origins = map[string]origin{
	"@topic": fromTopic, "@partition": fromPartition, "@offset": fromOffset,
	"@src_topic": fromSrcTopic, "@src_partition": fromSrcPartition, "@src_offset": fromSrcOffset,
	"@event_id": fromEventID, "@correlation_id": fromCorrelationID, "@class": fromClass,
	"@policy_version": fromPolicyVersion, "@consent_version": fromConsentVersion,
	"@replay_epoch": fromReplayEpoch, "@inserted_at": fromInsertedAt,
}

// shippedColumns fill the shipped table. Those the table does not have are left out, except for the lineage below.
var shippedColumns = map[string]string{
	"event_name": "event_name", "timestamp": "timestamp", "received_at": "received_at",
	"user_id": "subject.user_id", "account_id": "subject.account_id", "anonymous_id": "subject.anonymous_id",
	"source": "context.source", "schema_version": "context.schema_version", "ip": "context.ip",
	"user_agent": "context.user_agent", "properties": "properties",
	"consent_source": "consent.source", "consent_checked_at": "consent.checked_at",
	"correlation_id": "@correlation_id", "class": "@class",
	"policy_version": "@policy_version", "consent_version": "@consent_version", "inserted_at": "@inserted_at",
}

// lineageColumns are what exactly-once rests on: their names and sources are fixed.
var lineageColumns = map[string]string{
	"event_id": "@event_id", "topic": "@topic", "partition": "@partition", "offset": "@offset",
	"src_topic": "@src_topic", "src_partition": "@src_partition", "src_offset": "@src_offset", "replay_epoch": "@replay_epoch",
}

var lineageKinds = map[string]clickhouse.Kind{
	"event_id": clickhouse.String, "decision_id": clickhouse.String, "topic": clickhouse.String, "partition": clickhouse.Int, "offset": clickhouse.Int,
	"src_topic": clickhouse.String, "src_partition": clickhouse.Int, "src_offset": clickhouse.Int, "replay_epoch": clickhouse.Uint,
}

// columnPlan is one column of the insert.
type columnPlan struct {
	name   string
	typ    clickhouse.Type
	origin origin
	path   string
	field  event.Field
}

// layout is how records become rows of the table as it is now. It is immutable; workers are its mutable part.
type layout struct {
	columns []columnPlan
	dict    *event.Dictionary
	byField [][]int // columns filled from a field
	meta    []int   // columns filled from the record
	idle    chan *worker
}

// checkColumns finds mistakes in the configured columns that no table could mend.
func checkColumns(columns map[string]string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		source := columns[name]
		switch {
		case lineageColumns[name] != "" && source != lineageColumns[name]:
			errs = append(errs, fmt.Errorf("columns.%s: this column is filled from %s, which exactly-once rests on: use another name for yours", name, lineageColumns[name]))
		case strings.HasPrefix(source, "@"):
			if _, ok := origins[source]; !ok {
				errs = append(errs, fmt.Errorf("columns.%s: %s is not known: use one of %s", name, source, strings.Join(slices.Sorted(maps.Keys(origins)), ", ")))
			}
		case strings.Contains(source, "["):
			errs = append(errs, fmt.Errorf("columns.%s: name the list itself, without []: an Array(String) column takes its elements, a String column its JSON", name))
		default:
			if _, err := event.NewDictionary(source); err != nil || source == "" {
				errs = append(errs, fmt.Errorf("columns.%s: %q is no event path: write it like properties.plan", name, source))
			}
		}
	}
	return errors.Join(errs...)
}

// auditOrigins are what only the audit table is filled from: no column of a destination may hold a subject key.
var auditOrigins = map[string]origin{"@subject_key": fromSubjectKey, "@decided_at": fromDecidedAt}

// newLayout plans the insert of events into a table with the given columns (name to type, in table order).
func newLayout(table []tableColumn, configured map[string]string, paths []string) (*layout, error) {
	return eventShape.layout(table, configured, paths)
}

func (s shape) layout(table []tableColumn, configured map[string]string, paths []string) (*layout, error) {
	sources := map[string]string{}
	maps.Copy(sources, s.shipped)
	maps.Copy(sources, configured)
	maps.Copy(sources, s.fixed)
	l := &layout{}
	var errs []error
	for _, col := range table {
		source, ok := sources[col.name]
		if !ok {
			continue
		}
		delete(sources, col.name)
		typ, err := clickhouse.ParseType(col.typ)
		if err != nil {
			errs = append(errs, fmt.Errorf("column %s: %w", col.name, err))
			continue
		}
		if want, lineage := lineageKinds[col.name]; lineage && (typ.Kind != want || typ.Array || typ.Nullable) {
			errs = append(errs, fmt.Errorf("column %s: type %s does not suit %s: see the shipped clickhouse/001_events.sql", col.name, col.typ, source))
		}
		l.columns = append(l.columns, columnPlan{name: col.name, typ: typ, origin: cmp.Or(origins[source], auditOrigins[source]), path: source})
	}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		_, mine := configured[name]
		if _, fixed := s.fixed[name]; mine || fixed {
			errs = append(errs, fmt.Errorf("column %s is not in the table: add it with a new file in clickhouse/ and run `ebbgate clickhouse apply`, or take it out of columns", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return l, l.bind(paths)
}

// bind gives every path its field.
func (l *layout) bind(paths []string) (err error) {
	all := slices.Clone(paths)
	for _, c := range l.columns {
		if c.origin == fromPath {
			all = append(all, c.path)
		}
	}
	if l.dict, err = event.NewDictionary(all...); err != nil {
		return fmt.Errorf("numbering event paths: %w", err)
	}
	l.byField = make([][]int, l.dict.Len()+1)
	l.meta = nil
	for i := range l.columns {
		c := &l.columns[i]
		if c.origin != fromPath {
			l.meta = append(l.meta, i)
			continue
		}
		c.field = l.dict.Field(c.path)
		l.byField[c.field] = append(l.byField[c.field], i)
	}
	l.idle = make(chan *worker, maxIdle)
	return nil
}

// maxIdle bounds the workers kept for the next chunks. They are as many as chunks were written at one time. A sync.Pool
// would lose their buffers, megabytes each, with every garbage collection.
const maxIdle = 16

func (l *layout) take() *worker {
	select {
	case w := <-l.idle:
		return w
	default:
		return newWorker(l)
	}
}

func (l *layout) give(w *worker) {
	select {
	case l.idle <- w:
	default:
	}
}

// with returns a layout whose dictionary also knows the paths.
func (l *layout) with(paths []string) (*layout, error) {
	wider := &layout{columns: slices.Clone(l.columns)}
	for f := range l.dict.Len() {
		if path := l.dict.Path(event.Field(f)); path != "" {
			paths = append(paths, path)
		}
	}
	return wider, wider.bind(paths)
}
