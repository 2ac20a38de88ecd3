package stage

import "strings"

// Texts makes strings of many short texts with one allocation for hundreds. What it gave out lives as long as any string
// of the same slab. The zero value is ready; one goroutine uses it at a time.
type Texts struct{ slab strings.Builder }

const textSlab = 16 << 10

// String returns a copy of text.
func (t *Texts) String(text []byte) string {
	if t.slab.Cap()-t.slab.Len() < len(text) {
		t.slab = strings.Builder{}
		t.slab.Grow(max(textSlab, len(text)))
	}
	start := t.slab.Len()
	t.slab.Write(text)
	return t.slab.String()[start:]
}
