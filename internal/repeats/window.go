package repeats

import "hash/maphash"

// DefaultWindow is how many offsets are looked back where nobody says otherwise.
const DefaultWindow = 100_000

// Verdict is what a record is.
type Verdict uint8

// The verdicts.
const (
	New       Verdict = iota
	Duplicate         // the nearest record before it with its id has the same content
	Conflict          // it has other content
)

// Sighting is a record as it is remembered. ID and Content are hashes under seeds of this process: 64 bits each, because nobody who
// does not know the seeds can make two alike.
type Sighting struct {
	Offset      int64
	ID, Content uint64
}

// Hasher makes sightings. Those of one are comparable, those of two are not.
type Hasher struct{ id, content maphash.Seed }

// NewHasher returns a hasher with seeds of its own.
func NewHasher() Hasher { return Hasher{maphash.MakeSeed(), maphash.MakeSeed()} }

// Sight returns the sighting of a record.
func (h Hasher) Sight(offset int64, id string, content []byte) Sighting {
	return Sighting{offset, maphash.String(h.id, id), maphash.Bytes(h.content, content)}
}

// seen is the last sighting of an id.
type seen struct {
	offset  int64
	content uint64
}

// window remembers the sightings of the last size offsets.
type window struct {
	size  int64
	last  map[uint64]seen
	queue []Sighting // in the order of offsets; what is before head is forgotten
	head  int
}

// add takes a sighting whose offset is above all before.
func (w *window) add(s Sighting) {
	w.last[s.ID] = seen{s.Offset, s.Content}
	w.queue = append(w.queue, s)
}

// forget drops what lies below an offset.
func (w *window) forget(below int64) {
	for w.head < len(w.queue) && w.queue[w.head].Offset < below {
		old := w.queue[w.head]
		if w.last[old.ID].offset == old.Offset {
			delete(w.last, old.ID)
		}
		w.head++
	}
	if w.head > len(w.queue)/2 { // each sighting is moved once on average
		w.queue = append(w.queue[:0], w.queue[w.head:]...)
		w.head = 0
	}
}
