package stage

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
)

// Reader gives processors the parsed form of their messages. It belongs to one batch at a time; indexes it made may
// outlive it.
type Reader struct {
	rules   *Rules // nil where events are not judged yet
	dict    *event.Dictionary
	scanner *event.Scanner
	arena   event.Arena

	subjects []Subject // slabs, given out one by one
	carried  []carried
	texts    Texts
	topic    any // the last one addressed to, which is a string: made a value of metadata once for all messages
}

// NewReader returns a reader whose indexes name fields by dict.
func NewReader(dict *event.Dictionary, limits event.Limits) *Reader {
	return &Reader{dict: dict, scanner: event.NewScanner(dict, limits)}
}

// Index returns the parsed form of the message: the one that rides along when its bytes and dictionary are unchanged,
// else a new one, which then rides along. The error is an *event.Fault or, when the engine cannot give the bytes, its own.
func (r *Reader) Index(msg *service.Message) (*event.Index, error) {
	ix, err := r.Read(msg)
	if err == nil && carriedBy(msg).index != ix {
		r.Carry(msg, ix, nil)
	}
	return ix, err
}

// Read is Index for a caller that soon hands the result on itself, by Carry or SetJudgement.
func (r *Reader) Read(msg *service.Message) (*event.Index, error) {
	body, err := msg.AsBytes()
	if err != nil {
		return nil, err
	}
	if ix := carriedBy(msg).index; ix != nil && ix.Dict() == r.dict && Same(ix.Buf, body) {
		return ix, nil
	}
	return r.arena.Scan(r.scanner, body)
}

// Carry lets an event's parsed form, its subject and the rules they were made by ride along with the message.
func (r *Reader) Carry(msg *service.Message, ix *event.Index, subject *Subject) {
	if len(r.carried) == 0 {
		r.carried = make([]carried, carriedSlab)
	}
	c := &r.carried[0]
	r.carried = r.carried[1:]
	c.index, c.subject, c.rules = ix, subject, r.rules
	carry(msg, c)
}

// Same reports whether two slices are the same bytes in memory, which is cheaper than and implies equality.
func Same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
