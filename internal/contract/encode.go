package contract

import "github.com/ebbgate/ebbgate/internal/event"

// AppendWithout appends the event, re-encoded without white space and needless escapes, without the values at the tape positions
// in remove, which must be ascending. It keeps the order of names.
func AppendWithout(dst []byte, ix *event.Index, remove []uint32) []byte {
	e := encoder{ix: ix, remove: remove}
	return e.value(dst, 0)
}

type encoder struct {
	ix     *event.Index
	remove []uint32
}

// value appends the value at a tape position. What holds nothing to remove is encoded at once.
func (e *encoder) value(dst []byte, at uint32) []byte {
	n := &e.ix.Nodes[at]
	if len(e.remove) == 0 || e.remove[0] >= n.Next {
		return event.AppendValue(dst, e.ix.At(int(at)))
	}
	var scratch [128]byte
	open := len(dst)
	for i := at + 1; i < n.Next; {
		child := &e.ix.Nodes[i]
		if len(e.remove) > 0 && e.remove[0] == i {
			e.skip(child.Next)
			i = child.Next
			continue
		}
		dst = append(dst, ',')
		if n.Kind == event.Object {
			dst = event.AppendString(dst, e.ix.At(int(i)).Key(scratch[:0]))
			dst = append(dst, ':')
		}
		dst = e.value(dst, i)
		i = child.Next
	}
	brackets := "{}"
	if n.Kind == event.Array {
		brackets = "[]"
	}
	if len(dst) == open {
		return append(dst, brackets...)
	}
	dst[open] = brackets[0]
	return append(dst, brackets[1])
}

// skip forgets what lies inside a value that is removed already.
func (e *encoder) skip(end uint32) {
	for len(e.remove) > 0 && e.remove[0] < end {
		e.remove = e.remove[1:]
	}
}
