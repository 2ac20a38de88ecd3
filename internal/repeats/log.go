package repeats

// Log is what is remembered of one partition. It is not safe for concurrent use.
//
// What a chunk brings counts for the chunks after it only once the next one begins: until then the chunk may come again.
type Log struct {
	window      window
	first, next int64           // offsets of the chunk at hand, and where the one after it begins
	fresh       []Sighting      // of the chunk at hand
	recent      map[uint64]seen // the same, by id
}

// unknown is the next offset of a log that has read nothing.
const unknown = -1

// NewLog returns a log that compares a record with the size offsets before it.
func NewLog(size int64) *Log {
	return &Log{window: window{size: size, last: map[uint64]seen{}}, first: unknown, next: unknown, recent: map[uint64]seen{}}
}

// Begin starts the chunk first..last, or starts it again. Where it is neither the chunk at hand nor the one after it, Begin returns
// false and has forgotten everything: Learn the records before it, from From(first), and Begin again.
func (l *Log) Begin(first, last int64) bool {
	switch {
	case l.next == unknown:
		return false
	case first == l.next:
		for _, s := range l.fresh {
			l.window.add(s)
		}
	case first != l.first:
		*l = *NewLog(l.window.size)
		return false
	}
	l.window.forget(l.From(first))
	l.fresh = l.fresh[:0]
	clear(l.recent)
	l.first, l.next = first, last+1
	return true
}

// From is the offset of the first record that one at an offset is compared with.
func (l *Log) From(offset int64) int64 { return max(0, offset-l.window.size) }

// Learn takes a record before the first chunk, in the order of offsets.
func (l *Log) Learn(s Sighting) { l.window.add(s) }

// Learned says that all records before an offset have been learned.
func (l *Log) Learned(first int64) { l.next = first }

// Judge takes the next record of the chunk and says what it is.
func (l *Log) Judge(s Sighting) Verdict {
	before, ok := l.recent[s.ID]
	if !ok {
		before, ok = l.window.last[s.ID]
	}
	l.fresh = append(l.fresh, s)
	l.recent[s.ID] = seen{s.Offset, s.Content}
	switch {
	case !ok || before.offset < s.Offset-l.window.size:
		return New
	case before.content == s.Content:
		return Duplicate
	}
	return Conflict
}

// Len is how many records are remembered.
func (l *Log) Len() int { return len(l.window.queue) - l.window.head + len(l.fresh) }
