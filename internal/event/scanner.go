package event

import (
	"bytes"
	"math"
)

// Limits bound one event. A zero limit takes the default. Names and strings are measured in bytes of unescaped text.
type Limits struct {
	MaxBytes  int // of the event
	MaxDepth  int // of objects and arrays in one another; the event itself is the first
	MaxKeys   int // in one object
	MaxKey    int // of a name
	MaxString int // of a string
	MaxNumber int // characters of a number
}

// DefaultLimits are what a Scanner uses when it is told nothing else.
var DefaultLimits = Limits{
	MaxBytes: 1 << 20, MaxDepth: 32, MaxKeys: 512, MaxKey: maxNameLength, MaxString: 64 << 10, MaxNumber: 64,
}

func (l Limits) withDefaults() Limits {
	for _, limit := range []struct {
		given    *int
		fallback int
	}{
		{&l.MaxBytes, DefaultLimits.MaxBytes},
		{&l.MaxDepth, DefaultLimits.MaxDepth},
		{&l.MaxKeys, DefaultLimits.MaxKeys},
		{&l.MaxKey, DefaultLimits.MaxKey},
		{&l.MaxString, DefaultLimits.MaxString},
		{&l.MaxNumber, DefaultLimits.MaxNumber},
	} {
		if *limit.given <= 0 {
			*limit.given = limit.fallback
		}
	}
	l.MaxBytes = min(l.MaxBytes, math.MaxInt32) // positions on the tape are 32 bits wide
	return l
}

// Scanner reads events strictly and in one pass. It keeps its working memory between events, so one goroutine uses one
// Scanner at a time.
type Scanner struct {
	dict   *Dictionary
	limits Limits
	buf    []byte
	nodes  []Node // room for the tape, count of them written
	count  int
	env    *[NumEnvelopeFields]int32
	fault  *Fault
	names  nameSets
	normal normalizer
	text   []byte // of the name at hand, when it is escaped
	untidy int    // runs of white space and escaped texts so far, which canonical form has none of
}

// NewScanner makes a scanner for the governed paths of d.
func NewScanner(d *Dictionary, l Limits) *Scanner {
	l = l.withDefaults()
	return &Scanner{dict: d, limits: l, names: newNameSets(d, l)}
}

// Scan checks the whole of buf and indexes it. into's memory is reused, so nothing is allocated in steady state; buf is
// aliased, not copied, and into stands as long as buf is left alone. The error is a *Fault; into holds nothing then.
func (s *Scanner) Scan(buf []byte, into *Index) error {
	s.buf, s.nodes, s.count, s.env, s.fault, s.untidy = buf, into.Nodes[:cap(into.Nodes)], 0, &into.env, nil, 0
	into.env = [NumEnvelopeFields]int32{}
	into.dict = s.dict
	s.names.reset()
	s.document()
	into.Buf, into.Nodes = buf, s.nodes[:s.count]
	s.buf, s.nodes, s.env = nil, nil, nil
	if s.fault != nil {
		into.Nodes, into.Buf, into.env = into.Nodes[:0], nil, [NumEnvelopeFields]int32{}
		return s.fault
	}
	return nil
}

func (s *Scanner) document() {
	if len(s.buf) > s.limits.MaxBytes {
		s.fail(CodeTooLarge, 0)
		return
	}
	if bytes.HasPrefix(s.buf, []byte("\xef\xbb\xbf")) || bytes.HasPrefix(s.buf, []byte("\xff\xfe")) ||
		bytes.HasPrefix(s.buf, []byte("\xfe\xff")) {
		s.fail(CodeBOM, 0)
		return
	}
	at := skipSpace(s.buf, 0)
	if at == len(s.buf) {
		s.fail(CodeEmpty, 0)
		return
	}
	if s.buf[at] != '{' {
		s.fail(notObjectCode(s.buf[at]), at)
		return
	}
	at = s.container(at, member{place: &s.dict.places[0]}, 1)
	if at < 0 {
		return
	}
	if at = skipSpace(s.buf, at); at != len(s.buf) {
		s.fail(CodeTrailingData, at)
	}
}

// notObjectCode tells a value that is no object from what is no JSON at all.
func notObjectCode(first byte) string {
	if bytes.IndexByte([]byte(`["tfn-0123456789`), first) >= 0 {
		return CodeNotObject
	}
	return CodeSyntax
}

// fail notes the first fault and gives the position that all scanning functions return for it.
func (s *Scanner) fail(code string, offset int) int {
	s.fault = &Fault{Code: code, Remedy: remedies[code], Offset: offset}
	return -1
}

// failedAt gives the fault its path, unless a deeper place has: below is where the value at fault stands. Containers whose
// Next is still zero are open and lead there.
func (s *Scanner) failedAt(below *place) int {
	if s.fault.Path != "" {
		return -1
	}
	path, inArray := "", false
	for i := range s.nodes[:s.count] {
		n := &s.nodes[i]
		if n.Next != 0 || i == 0 {
			continue
		}
		path, inArray = s.step(path, n.Field, inArray), n.Kind == Array
	}
	s.fault.Path = s.step(path, below.field, inArray)
	return -1
}

func (s *Scanner) step(path string, f Field, inArray bool) string {
	switch {
	case f != NoField:
		return s.dict.paths[f]
	case inArray:
		return path + "[]"
	case path == "":
		return "?"
	}
	return path + ".?"
}

// space passes over white space and notes that there was some.
func (s *Scanner) space(at int) int {
	end := skipSpace(s.buf, at)
	if end != at {
		s.untidy++
	}
	return end
}

func skipSpace(buf []byte, at int) int {
	for at < len(buf) && (buf[at] == ' ' || buf[at] == '\n' || buf[at] == '\r' || buf[at] == '\t') {
		at++
	}
	return at
}
