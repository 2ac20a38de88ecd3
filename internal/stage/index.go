package stage

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
)

// Reader gives processors the parsed form of their messages. It belongs to one batch at a time; indexes it made may
// outlive it.
type Reader struct {
	dict    *event.Dictionary
	scanner *event.Scanner
	arena   event.Arena
}

// NewReader returns a reader whose indexes name fields by dict.
func NewReader(dict *event.Dictionary, limits event.Limits) *Reader {
	return &Reader{dict: dict, scanner: event.NewScanner(dict, limits)}
}

// Index returns the parsed form of the message: the one that rides along when its bytes and dictionary are unchanged,
// else a new one, which then rides along. The error is an *event.Fault or, when the engine cannot give the bytes, its own.
func (r *Reader) Index(msg *service.Message) (*event.Index, error) {
	body, err := msg.AsBytes()
	if err != nil {
		return nil, err
	}
	if ix, ok := Attachment[*event.Index](msg, metaIndex); ok && ix.Dict() == r.dict && Same(ix.Buf, body) {
		return ix, nil
	}
	ix, err := r.arena.Scan(r.scanner, body)
	if err != nil {
		return nil, err
	}
	Attach(msg, metaIndex, ix)
	return ix, nil
}

// Same reports whether two slices are the same bytes in memory, which is cheaper than and implies equality.
func Same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
