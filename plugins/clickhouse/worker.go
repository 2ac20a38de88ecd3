package clickhouse

import (
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/event"
)

// codeType is the code of a value that does not fit its column.
const codeType = "clickhouse.type"

// worker turns records into rows for one chunk at a time. Nothing it holds is made anew per row.
type worker struct {
	layout  *layout
	scanner *event.Scanner
	index   event.Index
	block   *clickhouse.Block
	seen    []bool // by column: filled in this row
	closed  []bool // by field: left out of this row
	scratch []byte
	json    []byte
	log     *service.Logger
}

func newWorker(l *layout) *worker {
	cols := make([]*clickhouse.Column, len(l.columns))
	for i, c := range l.columns {
		cols[i] = clickhouse.NewColumn(c.name, c.typ)
	}
	return &worker{
		layout:  l,
		scanner: event.NewScanner(l.dict, event.DefaultLimits),
		block:   clickhouse.NewBlock(cols...),
		seen:    make([]bool, len(l.columns)),
		closed:  make([]bool, l.dict.Len()),
	}
}

// build makes the block of the records numbered in rows. Records that cannot be rows are named in the error.
func (w *worker) build(c *chunk, rows []int, now time.Time) (*clickhouse.Block, error) {
	w.block.Reset()
	bad := &refusals{}
	c.acted = c.acted[:0]
	for n, at := range rows {
		r := &c.records[at]
		if err := w.guarded(c, r, now); err != nil {
			bad.add(err.Code, r.ref, err)
		} else if sampled(n, len(rows)) {
			c.sample(r, &w.index)
		}
	}
	return w.block, bad.err()
}

// guarded is row, safe from panics. After one the worker begins anew; the block will not be used.
func (w *worker) guarded(c *chunk, r *record, now time.Time) (fault *event.Fault) {
	_ = guarded(w.log, func() error {
		fault = errPanic // unless row returns
		fault = w.row(c, r, now)
		return nil
	})
	if fault == errPanic {
		log := w.log
		*w = *newWorker(w.layout)
		w.log = log
	}
	return fault
}

// row appends one row. Every column gets exactly one value, also when a fault is returned.
func (w *worker) row(c *chunk, r *record, now time.Time) (fault *event.Fault) {
	clear(w.seen)
	if err := w.scanner.Scan(r.sealed.Body, &w.index); err != nil {
		w.finish(c, r, now)
		f, _ := event.AsFault(err)
		return &f
	}
	if r.gone != 0 {
		r.need.shut(r.gone, w.closed)
		defer clear(w.closed)
	}
	nodes := w.index.Nodes
	for at := 1; at < len(nodes); {
		field := nodes[at].Field
		if field == event.NoField {
			at++
			continue
		}
		if w.closed[field] {
			at = int(nodes[at].Next)
			continue
		}
		for _, col := range w.layout.byField[field] {
			if !w.seen[col] && !w.fill(col, w.index.At(at), r) && fault == nil {
				fault = w.misfit(col)
			}
		}
		at++
	}
	if misfit := w.finish(c, r, now); fault == nil {
		fault = misfit
	}
	return fault
}

func (w *worker) misfit(col int) *event.Fault {
	plan := &w.layout.columns[col]
	return &event.Fault{Code: codeType, Path: plan.path, Remedy: "the value does not fit column " + plan.name + " " + plan.typ.Text + ": change the contract or the column, then replay the event"}
}

// finish fills what comes from the record, and whatever the event did not have.
func (w *worker) finish(c *chunk, r *record, now time.Time) (fault *event.Fault) {
	for _, col := range w.layout.meta {
		if !w.known(col, c, r, now) && fault == nil {
			fault = w.misfit(col)
		}
	}
	for i, seen := range w.seen {
		if !seen {
			w.block.Column(i).AppendNone()
		}
	}
	return fault
}

// known fills a column from what is known about the record.
func (w *worker) known(at int, c *chunk, r *record, now time.Time) bool {
	col, s := w.block.Column(at), r.sealed
	w.seen[at] = true
	switch w.layout.columns[at].origin {
	case fromTopic:
		return w.text(col, c.topic)
	case fromPartition:
		return col.AppendInt(int64(c.partition))
	case fromOffset:
		return col.AppendInt(r.ref.Offset)
	case fromSrcTopic:
		return w.text(col, s.SrcTopic)
	case fromSrcPartition:
		return col.AppendInt(int64(s.SrcPartition))
	case fromSrcOffset:
		return col.AppendInt(s.SrcOffset)
	case fromEventID:
		return w.text(col, s.EventID)
	case fromCorrelationID:
		return w.text(col, s.CorrelationID)
	case fromClass:
		return w.text(col, s.Class)
	case fromPolicyVersion:
		return w.text(col, s.Policy)
	case fromConsentVersion:
		return w.text(col, s.ConsentVersion)
	case fromSubjectKey:
		return w.text(col, s.SubjectKey)
	case fromDecidedAt:
		return col.AppendTime(r.decidedAt)
	case fromReplayEpoch:
		return col.AppendUint(uint64(c.epoch))
	default:
		return col.AppendTime(now)
	}
}

func (w *worker) text(col *clickhouse.Column, text string) bool {
	w.scratch = append(w.scratch[:0], text...)
	return col.AppendText(w.scratch)
}

// fill gives a column the value of an event; false means that the value does not fit.
func (w *worker) fill(at int, v event.Value, r *record) bool {
	col := w.block.Column(at)
	w.seen[at] = true
	typ := col.Spec()
	switch v.Kind() {
	case event.Null:
		col.AppendNone()
		return true
	case event.True, event.False:
		if typ.Kind == clickhouse.String && !typ.Array {
			return col.AppendText(v.Raw())
		}
		return col.AppendBool(v.Bool())
	case event.Number:
		return w.number(col, v)
	case event.String:
		return w.string(col, v)
	case event.Array:
		if typ.Array {
			return w.list(col, v)
		}
	}
	if typ.Kind != clickhouse.String || typ.Array || typ.LowCard {
		col.AppendNone()
		return false
	}
	return col.AppendText(w.subtree(v, r))
}

func (w *worker) number(col *clickhouse.Column, v event.Value) bool {
	typ := col.Spec()
	switch typ.Kind {
	case clickhouse.String:
		return col.AppendText(v.Raw())
	case clickhouse.Float:
		f, _ := v.Float64()
		return col.AppendFloat(f)
	}
	if n, ok := v.Int64(); ok {
		return col.AppendInt(n)
	}
	if n, ok := v.Uint64(); ok {
		return col.AppendUint(n)
	}
	col.AppendNone()
	return false
}

func (w *worker) string(col *clickhouse.Column, v event.Value) bool {
	text := v.Text(w.scratch)
	if cap(text) > cap(w.scratch) && w.unescaped(v) {
		w.scratch = text[:0]
	}
	switch col.Spec().Kind {
	case clickhouse.Date, clickhouse.Date32, clickhouse.DateTime, clickhouse.DateTime64:
		at, ok := readTime(text)
		if !ok {
			col.AppendNone()
			return false
		}
		return col.AppendTime(at)
	}
	return col.AppendText(text)
}

// unescaped is whether Text had to write into scratch: only then may its memory be kept.
func (w *worker) unescaped(v event.Value) bool {
	return w.index.Nodes[v.Pos()].Flags&event.ValueEscaped != 0
}

// readTime reads RFC 3339, or a plain day.
func readTime(text []byte) (time.Time, bool) {
	if len(text) == len(time.DateOnly) {
		var room [32]byte
		return event.ParseTime(append(append(room[:0], text...), "T00:00:00Z"...))
	}
	return event.ParseTime(text)
}

// list fills an Array(String): texts as they are, numbers and truth values as JSON writes them.
func (w *worker) list(col *clickhouse.Column, v event.Value) bool {
	fits := true
	v.Each(func(item event.Value) bool {
		if w.closed[item.Field()] {
			return true
		}
		switch item.Kind() {
		case event.Null, event.Object, event.Array:
			fits = false
		default:
			col.AppendElement(item.Text(w.scratch))
		}
		return fits
	})
	col.EndArray()
	return fits
}

// subtree gives the JSON of an object or list, without what may not go. The sealed bytes are already canonical JSON of
// our own making, so the common case takes them as they are.
func (w *worker) subtree(v event.Value, r *record) []byte {
	if r.gone == 0 {
		return v.Raw()
	}
	w.json = w.prune(w.json[:0], v)
	return w.json
}

func (w *worker) prune(dst []byte, v event.Value) []byte {
	kind := v.Kind()
	if kind != event.Object && kind != event.Array {
		return event.AppendValue(dst, v)
	}
	open, shut := byte('{'), byte('}')
	if kind == event.Array {
		open, shut = '[', ']'
	}
	dst = append(dst, open)
	empty := true
	v.Each(func(member event.Value) bool {
		if w.closed[member.Field()] {
			return true
		}
		if !empty {
			dst = append(dst, ',')
		}
		empty = false
		if kind == event.Object {
			dst = append(event.AppendKey(dst, member), ':')
		}
		dst = w.prune(dst, member)
		return true
	})
	return append(dst, shut)
}

// eventName is the event's name, where the destination may know it.
func (w *worker) eventName(r *record) []byte {
	if err := w.scanner.Scan(r.sealed.Body, &w.index); err != nil {
		return nil
	}
	name, ok := w.index.Get(event.EventName)
	if !ok || name.Kind() != event.String {
		return nil
	}
	return name.Text(nil)
}
