package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// Content is what a topic adds up to where that is more than the last record of each key.
type Content interface {
	Reset()
	Apply(key string, value []byte)
	Len() int
}

// Fold is the content of a topic. It is a Table: read it inside Read of its Follower.
type Fold[C Content] struct {
	topic string
	// Content is what the records add up to so far.
	Content C
}

// NewFold returns a table that is filled into the content, which has to be empty.
func NewFold[C Content](topic string, content C) *Fold[C] { return &Fold[C]{topic, content} }

// Topic returns the topic's name.
func (f *Fold[C]) Topic() string { return f.topic }

// Reset empties the content.
func (f *Fold[C]) Reset() { f.Content.Reset() }

// Len counts what the content holds.
func (f *Fold[C]) Len() int { return f.Content.Len() }

// Apply takes one record of the topic.
func (f *Fold[C]) Apply(rec *kgo.Record) { f.Content.Apply(string(rec.Key), rec.Value) }
