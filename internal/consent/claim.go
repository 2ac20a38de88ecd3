package consent

import (
	"fmt"
	"strconv"

	"github.com/ebbgate/ebbgate/internal/event"
)

// CodeType is the code of a consent object that is none, or of a purpose in it that is neither true nor false.
const CodeType = "consent.type"

// Claim is what the event itself says of consent. The masks are of the reader's purposes.
type Claim struct {
	Present bool  // the event has a consent object
	Stated  Mask  // purposes it names
	Given   Mask  // purposes it names with true
	Version int64 // consent.version where that is a number, else 0
	// LookupOnly is set for a source that cannot carry consent: its claims of true count for nothing and only a consent record
	// can allow a purpose. A claim of false still counts.
	LookupOnly bool
}

// Reader reads claims from events scanned with one dictionary. It is immutable and safe for concurrent use.
type Reader struct {
	dict *event.Dictionary
	bits []Mask // by event.Field
}

// NewReader returns a reader for the purposes. The dictionary must know consent.<purpose> for each, or look-alikes of their names
// could pass as unknown ones.
func NewReader(dict *event.Dictionary, p *Purposes) (*Reader, error) {
	r := &Reader{dict: dict, bits: make([]Mask, dict.Len())}
	for i, name := range p.names {
		f := dict.Field("consent." + name)
		if f == event.NoField {
			return nil, fmt.Errorf("reading claims: the dictionary does not know consent.%s", name)
		}
		r.bits[f] = 1 << i
	}
	return r, nil
}

// Read returns the event's claim, or a fault where its consent object is malformed. LookupOnly is left to the caller, who knows the
// sources. It does not allocate on the good path.
func (r *Reader) Read(ix *event.Index) (Claim, *event.Fault) {
	if ix.Dict() != r.dict {
		return Claim{}, &event.Fault{Code: CodeType, Path: "consent", Remedy: "scan events with the dictionary the reader was made for"}
	}
	object, ok := ix.Get(event.Consent)
	if !ok || object.Kind() == event.Null {
		return Claim{}, nil
	}
	if object.Kind() != event.Object {
		return Claim{}, &event.Fault{Code: CodeType, Path: "consent", Remedy: "send an object of purposes"}
	}
	c := Claim{Present: true}
	at := object.Pos()
	for i := at + 1; i < int(ix.Nodes[at].Next); i = int(ix.Nodes[i].Next) {
		n := &ix.Nodes[i]
		switch {
		case n.Field == event.ConsentSource || n.Field == event.ConsentCheckedAt:
		case n.Field == event.ConsentVersion:
			c.Version = version(ix.At(i))
		case n.Kind == event.True:
			c.Stated |= r.bits[n.Field]
			c.Given |= r.bits[n.Field]
		case n.Kind == event.False:
			c.Stated |= r.bits[n.Field]
		default:
			return Claim{}, r.notBoolean(n.Field)
		}
	}
	return c, nil
}

func (r *Reader) notBoolean(f event.Field) *event.Fault {
	path := "consent.?"
	if f != event.NoField {
		path = r.dict.Path(f)
	}
	return &event.Fault{Code: CodeType, Path: path, Remedy: "send true or false, or leave the purpose out"}
}

// version reads a counter, which senders write as text or as a number. Other texts have no order and are 0.
func version(v event.Value) int64 {
	if n, ok := v.Int64(); ok {
		return max(n, 0)
	}
	if v.Kind() != event.String || len(v.Raw()) > 19 {
		return 0
	}
	n, err := strconv.ParseInt(string(v.Raw()), 10, 64)
	if err != nil {
		return 0
	}
	return max(n, 0)
}
