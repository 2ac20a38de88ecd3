package books

import (
	"bytes"
	"encoding/binary"
)

// maxWindow is the widest piece of a pattern that the prefilter looks at: what fits one machine word.
const maxWindow = 8

// filterBits is the size of the prefilter: with tens of thousands of patterns most bytes still end at its first bit.
const filterBits = 21

// matcher finds many texts in one pass over a stream. ASCII letters are folded, so a find in any letter case counts.
//
// Of each text it picks the window of a few bytes that is rarest among all texts (what is common, such as a shared
// domain name, tells nothing). At every position of the stream one hash of the window goes through a bit table, and
// only the few positions that pass are compared in full. Memory grows with the texts, and a scan allocates nothing.
type matcher struct {
	texts   []folded
	width   int
	longest int
	mask    uint64
	filter  []uint64
	windows map[uint64][]spot
}

type folded struct {
	text []byte
	id   int
}

// spot is where in a text its window lies.
type spot struct{ text, at int }

func fold(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

func folds(text string) []byte {
	out := []byte(text)
	for i, c := range out {
		out[i] = fold(c)
	}
	return out
}

// add registers a text under an id. Empty texts match nothing.
func (m *matcher) add(text string, id int) {
	if text == "" {
		return
	}
	m.texts = append(m.texts, folded{folds(text), id})
}

// build makes the tables. It is called once, after the last add.
func (m *matcher) build() {
	m.width = maxWindow
	for _, t := range m.texts {
		m.width = min(m.width, len(t.text))
		m.longest = max(m.longest, len(t.text))
	}
	m.mask = ^uint64(0) >> (64 - 8*m.width)
	m.filter = make([]uint64, 1<<filterBits/64)
	m.windows = map[uint64][]spot{}
	frequency := map[uint64]int{}
	for _, t := range m.texts {
		for at := range len(t.text) - m.width + 1 {
			frequency[m.window(t.text, at)]++
		}
	}
	for i, t := range m.texts {
		best, rare := uint64(0), spot{i, -1}
		for at := range len(t.text) - m.width + 1 {
			w := m.window(t.text, at)
			if rare.at < 0 || frequency[w] < frequency[best] {
				best, rare.at = w, at
			}
		}
		m.windows[best] = append(m.windows[best], rare)
		bit := filterBit(best)
		m.filter[bit/64] |= 1 << (bit % 64)
	}
}

// window is the bytes of data at a position, as one number.
func (m *matcher) window(data []byte, at int) uint64 {
	if at+maxWindow <= len(data) {
		return binary.LittleEndian.Uint64(data[at:]) & m.mask
	}
	var word [maxWindow]byte
	copy(word[:], data[at:])
	return binary.LittleEndian.Uint64(word[:]) & m.mask
}

func filterBit(window uint64) uint64 {
	return window * 0x9e3779b97f4a7c15 >> (64 - filterBits)
}

// scanner holds the state of one stream: what was read last, folded, so that finds across two reads are found.
type scanner struct {
	*matcher
	buf  []byte
	gone int64
}

func (m *matcher) scanner() *scanner { return &scanner{matcher: m} }

// next reads on and tells every find: the pattern's id and the offset in the stream just behind it.
func (s *scanner) next(data []byte, tell func(id int, end int64)) {
	if len(s.texts) == 0 {
		return
	}
	seen := len(s.buf)
	for _, c := range data {
		s.buf = append(s.buf, fold(c))
	}
	for at := range len(s.buf) - s.width + 1 {
		w := s.window(s.buf, at)
		bit := filterBit(w)
		if s.filter[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for _, c := range s.windows[w] {
			text := s.texts[c.text]
			from, end := at-c.at, at-c.at+len(text.text)
			// A find that ends in what was seen before was told before.
			if from >= 0 && end > seen && end <= len(s.buf) && bytes.Equal(s.buf[from:end], text.text) {
				tell(text.id, s.gone+int64(end))
			}
		}
	}
	drop := max(0, len(s.buf)-(s.longest-1))
	s.buf = append(s.buf[:0], s.buf[drop:]...)
	s.gone += int64(drop)
}
