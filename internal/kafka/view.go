package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// Entry is what a View knows of a key.
type Entry[T any] struct {
	Value   T
	Version int64
	// Unreadable says that the newest record of the key could not be understood. Value is then what was known before
	// and must not be relied on.
	Unreadable bool
}

// ViewConfig describes a compacted topic.
type ViewConfig[T any] struct {
	Topic string
	// Decode reads a record's value. It must not keep the slice. Its error makes the key unreadable, until a record
	// that can be read and is no older comes after it.
	Decode func(value []byte) (v T, version int64, err error)
	// KeepNull makes a record without a value unreadable instead of a deletion of the key: for topics in which nothing
	// is ever taken back.
	KeepNull bool
}

// View is the content of a compacted topic: for every key the record with the highest version, the later one of two
// equal versions. It is a Table: read it inside Read of its Follower.
type View[T any] struct {
	cfg  ViewConfig[T]
	rows map[string]Entry[T]
}

// NewView returns an empty view. It is filled once a Follower has it.
func NewView[T any](cfg ViewConfig[T]) *View[T] {
	return &View[T]{cfg: cfg, rows: map[string]Entry[T]{}}
}

// Topic returns the topic's name.
func (v *View[T]) Topic() string { return v.cfg.Topic }

// Len returns how many keys the view holds.
func (v *View[T]) Len() int { return len(v.rows) }

// Reset empties the view.
func (v *View[T]) Reset() { v.rows = map[string]Entry[T]{} }

// Get returns the entry of a key. ok is false when the topic says nothing of it.
func (v *View[T]) Get(key string) (Entry[T], bool) {
	e, ok := v.rows[key]
	return e, ok
}

// Apply takes one record of the topic.
func (v *View[T]) Apply(rec *kgo.Record) {
	old := v.rows[string(rec.Key)]
	if rec.Value == nil {
		if v.cfg.KeepNull {
			old.Unreadable = true
			v.rows[string(rec.Key)] = old
			return
		}
		delete(v.rows, string(rec.Key))
		return
	}
	value, version, err := v.cfg.Decode(rec.Value)
	switch {
	case err != nil:
		old.Unreadable = true
		v.rows[string(rec.Key)] = old
	case version >= old.Version:
		v.rows[string(rec.Key)] = Entry[T]{Value: value, Version: version}
	}
}
