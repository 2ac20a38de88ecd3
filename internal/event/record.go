package event

import (
	"strings"
	"sync"
)

// State records are read by the strict scanner, because a parser that takes the last of two equal names, or ignores case,
// could read a withdrawal as consent.
type recordReader struct {
	scanner *Scanner
	index   Index
}

var recordReaders = sync.Pool{New: func() any {
	dict, err := NewDictionary()
	if err != nil {
		panic("event: the envelope alone is always a dictionary: " + err.Error())
	}
	return &recordReader{scanner: NewScanner(dict, DefaultLimits)}
}}

// ReadRecord reads a state record: it calls visit with every member of a JSON object until it returns false, and reports
// whether all was well. A name that differs from a known one only in case is not well. Values must not be kept.
func ReadRecord(value []byte, known []string, visit func(name string, v Value) bool) bool {
	r := recordReaders.Get().(*recordReader)
	defer recordReaders.Put(r)
	if r.scanner.Scan(value, &r.index) != nil {
		return false
	}
	ok := true
	r.index.Root().Each(func(v Value) bool {
		name := string(v.Key(nil))
		for _, k := range known {
			if name != k && strings.EqualFold(name, k) {
				ok = false
			}
		}
		ok = ok && visit(name, v)
		return ok
	})
	return ok
}
