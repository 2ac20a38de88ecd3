// Package strict reads the workspace's YAML files with line numbers and without mercy: unknown keys, duplicate keys, anchors
// and wrong types are problems, and all problems of a workspace are reported together.
package strict

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a file: where it is, which field, what is wrong and what to do about it.
type Problem struct {
	File   string
	Line   int // 0 when the whole file is meant
	Field  string
	What   string
	Remedy string
}

// Error gives "file:line: field: what: remedy", without the parts that are empty.
func (p *Problem) Error() string {
	text := p.File
	if p.Line > 0 {
		text = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	for _, part := range []string{strings.Map(printable, p.Field), p.What, p.Remedy} {
		if part != "" {
			text += ": " + part
		}
	}
	return text
}

// Problems collects mistakes. The zero value is ready; it is not safe for concurrent use.
type Problems struct{ list []*Problem }

// Add takes one problem.
func (p *Problems) Add(problem *Problem) { p.list = append(p.list, problem) }

// Len counts the problems so far.
func (p *Problems) Len() int { return len(p.list) }

// Sorted returns the problems ordered by file and line, repeats removed.
func (p *Problems) Sorted() []*Problem {
	sorted := slices.Clone(p.list)
	slices.SortStableFunc(sorted, func(a, b *Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.CompactFunc(sorted, func(a, b *Problem) bool { return *a == *b })
}

// Err returns nil without problems, else all of them joined, ordered by file and line.
func (p *Problems) Err() error {
	var errs []error
	for _, problem := range p.Sorted() {
		errs = append(errs, problem)
	}
	return errors.Join(errs...)
}

// Join is errors.Join for errors of several files: all their problems, ordered by file and line. Errors that hold no problem come
// first, as they are.
func Join(errs ...error) error {
	var all Problems
	var others []error
	for _, err := range errs {
		others = append(others, all.take(err)...)
	}
	return errors.Join(append(others, all.Err())...)
}

// take adds the problems in err and returns what is none.
func (p *Problems) take(err error) (others []error) {
	switch e := err.(type) {
	case nil:
	case *Problem:
		p.Add(e)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			others = append(others, p.take(inner)...)
		}
	default:
		others = append(others, err)
	}
	return others
}
