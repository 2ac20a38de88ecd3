package redpanda

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// none stands for an offset that is not there.
const none int64 = -1

// limits decide where a full chunk ends. They are written down with every commit, so that a changed configuration does
// not change a chunk that may already have been handed out.
type limits struct {
	Offsets int64 `json:"offsets"` // a chunk ends before the next multiple of it
	Bytes   int64 `json:"bytes"`   // or at the record with which its records reach this size
}

// recordCost is what a record counts for, beside its key, value and headers. It is part of where chunks end.
const recordCost = 64

func sizeOf(rec *kgo.Record) int64 {
	n := recordCost + len(rec.Key) + len(rec.Value)
	for i := range rec.Headers {
		n += len(rec.Headers[i].Key) + len(rec.Headers[i].Value)
	}
	return int64(n)
}

// chunk is offsets first to last of one partition. Offsets without a record (compacted, or markers of transactions)
// belong to it all the same.
type chunk struct {
	first, last int64
	recs        []*kgo.Record // the originals: what is handed out is made from them anew each time
	timed       bool          // it ends where it does because time passed: nobody could work that out again

	attempt int            // how often it was handed out
	settled map[int64]bool // offsets that are durable in quarantine
	failed  map[int64]int  // how often an output named the offset as failing for good
}

// cutter turns the records of one partition into chunks. It knows no clock and no broker: the same records, limits and
// intent always give the same chunks. It belongs to one goroutine at a time.
type cutter struct {
	conf    limits        // for chunks after the next
	now     limits        // for the next chunk
	period  time.Duration // how long a chunk may wait to become full
	first   int64         // where the next chunk begins; none until the first record tells
	intent  int64         // where the next chunk must end, or none
	settled offsetSet     // offsets of the intended chunk that are durable in quarantine

	inherited bool // the next chunk may have been handed out by somebody else

	recs    []*kgo.Record // read and not cut yet
	next    int64         // the offset after the last one read
	bytes   int64         // size of recs
	scanned int           // recs looked at already
	partial int64         // their size
	end     int64         // the end of what may be read, as the broker last said
	since   time.Time     // when the oldest of recs arrived
	latest  time.Time     // when the newest of recs arrived
}

func newCutter(conf limits, period time.Duration, at position) *cutter {
	c := &cutter{conf: conf, now: conf, period: period, first: at.offset, next: at.offset, intent: none, inherited: true}
	if at.note.Limits.Offsets > 0 && at.note.Limits.Bytes > 0 {
		c.now = at.note.Limits
	}
	if at.note.Last != nil && *at.note.Last >= at.offset {
		c.intent, c.settled = *at.note.Last, at.note.Settled
	}
	return c
}

// add takes records in the order of their offsets, control records among them, and where the readable part ends.
func (c *cutter) add(recs []*kgo.Record, end int64, now time.Time) {
	c.end = max(c.end, end)
	for _, rec := range recs {
		if rec.Offset < c.next {
			continue // read before: the client starts again at what it was last asked for
		}
		if c.first == none {
			c.first = rec.Offset
		}
		c.next = rec.Offset + 1
		if rec.Attrs.IsControl() {
			continue
		}
		if len(c.recs) == 0 {
			c.since = now
		}
		c.recs = append(c.recs, rec)
		c.bytes += sizeOf(rec)
		c.latest = now
	}
}

// cut returns the next chunk if it is complete. If not, wait is how long until time alone could complete it; 0 means
// that only more records can.
func (c *cutter) cut(now time.Time) (got *chunk, wait time.Duration) {
	if c.intent != none {
		return c.cutIntent(), 0
	}
	if len(c.recs) == 0 {
		return nil, 0
	}
	c.skipEmpty()
	boundary := (c.first/c.now.Offsets + 1) * c.now.Offsets
	for ; c.scanned < len(c.recs); c.scanned++ {
		rec := c.recs[c.scanned]
		if rec.Offset >= boundary {
			return c.take(c.scanned, boundary-1, false), 0
		}
		if c.partial += sizeOf(rec); c.partial >= c.now.Bytes {
			return c.take(c.scanned+1, rec.Offset, false), 0
		}
	}
	if c.next >= boundary {
		return c.take(len(c.recs), boundary-1, false), 0
	}
	due := c.since.Add(c.period)
	if c.next < c.end {
		// The broker has more. Whoever had the partition before may have read it and handed this very chunk out full, so
		// the first one must not end early. Later ones may, once nothing comes any more.
		if c.inherited {
			return nil, 0
		}
		due = c.latest.Add(max(c.period, time.Second))
	}
	if wait = due.Sub(now); wait > 0 {
		return nil, wait
	}
	return c.take(len(c.recs), c.next-1, true), 0
}

// cutIntent cuts the chunk that was written down, once all of it is read. A chunk whose records are all gone is
// passed over.
func (c *cutter) cutIntent() *chunk {
	if c.next <= c.intent {
		return nil
	}
	n := 0
	for n < len(c.recs) && c.recs[n].Offset <= c.intent {
		n++
	}
	got := c.take(n, c.intent, false)
	for _, offset := range c.settled {
		got.settle(offset)
	}
	c.intent, c.settled = none, nil
	return got
}

// skipEmpty moves the beginning over whole boundaries without a record, which no chunk is made of.
func (c *cutter) skipEmpty() {
	if start := c.recs[0].Offset / c.now.Offsets * c.now.Offsets; start > c.first {
		c.first = start
	}
}

// take cuts the first n records as the chunk that ends at last.
func (c *cutter) take(n int, last int64, timed bool) *chunk {
	got := &chunk{first: c.first, last: last, recs: c.recs[:n:n], timed: timed}
	for _, rec := range got.recs {
		c.bytes -= sizeOf(rec)
	}
	c.recs = append([]*kgo.Record(nil), c.recs[n:]...)
	c.first, c.now, c.inherited = last+1, c.conf, false
	c.next = max(c.next, c.first)
	c.scanned, c.partial = 0, 0
	c.since = c.latest
	return got
}

func (c *chunk) settle(offset int64) {
	if c.settled == nil {
		c.settled = map[int64]bool{}
	}
	c.settled[offset] = true
}

// find returns the record of an offset, or nil.
func (c *chunk) find(offset int64) *kgo.Record {
	lo, hi := 0, len(c.recs)
	for lo < hi {
		if mid := (lo + hi) / 2; c.recs[mid].Offset < offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(c.recs) && c.recs[lo].Offset == offset {
		return c.recs[lo]
	}
	return nil
}
