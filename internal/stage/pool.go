package stage

import (
	"sync"

	"github.com/ebbgate/ebbgate/internal/event"
)

// ReaderPool lends readers to batches: the engine calls a processor from several threads, a reader serves one.
type ReaderPool struct{ pool *sync.Pool }

// NewReaderPool returns a pool of readers with the dictionary and limits given.
func NewReaderPool(dict *event.Dictionary, limits event.Limits) ReaderPool {
	return ReaderPool{&sync.Pool{New: func() any { return NewReader(dict, limits) }}}
}

// NewReaderPool returns a pool of readers for events that these rules are to judge.
func (r *Rules) NewReaderPool() ReaderPool {
	return ReaderPool{&sync.Pool{New: func() any {
		reader := NewReader(r.Dict, event.DefaultLimits)
		reader.rules = r
		return reader
	}}}
}

// Get lends a reader until Put.
func (p ReaderPool) Get() *Reader { return p.pool.Get().(*Reader) }

// Put takes the reader back; indexes it made stay valid.
func (p ReaderPool) Put(r *Reader) { p.pool.Put(r) }
