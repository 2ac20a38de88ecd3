package contract

import (
	"slices"
	"unicode/utf8"

	"github.com/ebbgate/ebbgate/internal/event"
)

// Codes of the faults that Check finds.
const (
	CodeType       = "contract.type"
	CodeRequired   = "contract.required"
	CodeEnum       = "contract.enum"
	CodeLength     = "contract.length"
	CodeUndeclared = "contract.undeclared"
	CodeUnbound    = "contract.unbound"
)

// maxFaults bounds the work on a hostile event; the first faults say enough.
const maxFaults = 16

// Result is what Check found. Reuse it: Check resets it and keeps its memory.
type Result struct {
	Faults  []event.Fault
	Remove  []uint32 // tape positions of undeclared values, ascending, for AppendWithout
	scratch []byte
}

// envelopeOpen are containers of the envelope that hold declared and undeclared names alike; consent is left out because its
// names are purposes, which package consent reads.
var envelopeOpen = [...]event.Field{event.Subject, event.Context}

// Check compares the event with the contract: types, required properties, enumerations and lengths are faults; what is not
// declared is listed in Remove, or is a fault where the contract says so. A null stands for an absent value. No faults and nothing
// to remove is the good path; it does not allocate.
func (c *Contract) Check(ix *event.Index, res *Result) {
	res.Faults, res.Remove = res.Faults[:0], res.Remove[:0]
	if c.checks == nil || ix.Dict() != c.checks.dict {
		res.fault(CodeUnbound, "", "bind the contracts to the dictionary that events are scanned with")
		return
	}
	w := walker{contract: c, checks: c.checks, ix: ix, res: res}
	w.envelope(0)
	for _, f := range envelopeOpen {
		if v, ok := ix.Get(f); ok && v.Kind() == event.Object {
			w.envelope(v.Pos())
		}
	}
	if v, ok := ix.Get(event.Properties); ok && v.Kind() != event.Null {
		w.value(v.Pos(), &c.checks.fields[event.Properties], event.Properties)
	} else {
		w.missing(&c.checks.fields[event.Properties])
	}
	slices.Sort(res.Remove)
}

func (r *Result) fault(code, path, remedy string) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, event.Fault{Code: code, Path: path, Remedy: remedy})
	}
}

type walker struct {
	contract *Contract
	checks   *checks
	ix       *event.Index
	res      *Result
}

// envelope lists names that the envelope does not have; they are removed whatever the contract says of properties.
func (w *walker) envelope(at int) {
	nodes := w.ix.Nodes
	for i := uint32(at + 1); i < nodes[at].Next; i = nodes[i].Next {
		if nodes[i].Field == event.NoField {
			w.res.Remove = append(w.res.Remove, i)
		}
	}
}

func (w *walker) value(at int, want *check, f event.Field) {
	n := &w.ix.Nodes[at]
	if !w.typed(n, at, want.typ) {
		w.res.fault(CodeType, w.checks.dict.Path(f), "send "+want.typ.article())
		return
	}
	switch n.Kind {
	case event.Object:
		if want.typ == Object {
			w.object(at, want, f)
		}
	case event.Array:
		if want.typ == Array {
			w.array(at)
		}
	default:
		if want.maxLength > 0 || want.enum != nil {
			w.bounds(at, want, f)
		}
	}
}

func (w *walker) object(at int, want *check, f event.Field) {
	nodes := w.ix.Nodes
	found := 0
	for i := uint32(at + 1); i < nodes[at].Next; i = nodes[i].Next {
		n := &nodes[i]
		c := &w.checks.fields[n.Field]
		switch {
		case n.Field == event.NoField || !c.declared:
			w.undeclared(i, f)
		case n.Kind == event.Null:
		default:
			if c.required {
				found++
			}
			if !c.settled(n) {
				w.value(int(i), c, n.Field)
			}
		}
	}
	if found < len(want.children) {
		w.absent(at, want)
	}
}

func (w *walker) array(at int) {
	nodes := w.ix.Nodes
	for i := uint32(at + 1); i < nodes[at].Next; i = nodes[i].Next {
		n := &nodes[i]
		c := &w.checks.fields[n.Field]
		if !c.settled(n) {
			w.value(int(i), c, n.Field)
		}
	}
}

func (w *walker) undeclared(at uint32, parent event.Field) {
	if !w.contract.Quarantine {
		w.res.Remove = append(w.res.Remove, at)
		return
	}
	path := w.checks.dict.Path(w.ix.Nodes[at].Field)
	if path == "" {
		path = w.checks.dict.Path(parent) + ".?"
	}
	w.res.fault(CodeUndeclared, path, "declare the property in the contract, or stop sending it")
}

// absent names the required fields an object does not have.
func (w *walker) absent(at int, want *check) {
	nodes := w.ix.Nodes
	for _, f := range want.children {
		found := false
		for i := uint32(at + 1); i < nodes[at].Next && !found; i = nodes[i].Next {
			found = nodes[i].Field == f && nodes[i].Kind != event.Null
		}
		if !found {
			w.res.fault(CodeRequired, w.checks.dict.Path(f), "send the property, the contract requires it")
		}
	}
}

// missing is absent for an event without properties.
func (w *walker) missing(want *check) {
	for _, f := range want.children {
		w.res.fault(CodeRequired, w.checks.dict.Path(f), "send the property, the contract requires it")
	}
}

func (w *walker) typed(n *event.Node, at int, t Type) bool {
	switch t {
	case String:
		return n.Kind == event.String
	case Integer:
		return n.Kind == event.Number && n.Flags&event.Fractional == 0
	case Number:
		return n.Kind == event.Number
	case Boolean:
		return n.Kind == event.True || n.Kind == event.False
	case Timestamp:
		if n.Kind != event.String {
			return false
		}
		_, ok := event.ParseTime(w.text(at))
		return ok
	case Object:
		return n.Kind == event.Object
	case Array:
		return n.Kind == event.Array
	}
	return t == JSON
}

// text is valid until the next call.
func (w *walker) text(at int) []byte {
	n := &w.ix.Nodes[at]
	if n.Flags&event.ValueEscaped == 0 {
		return w.ix.Buf[n.Start:n.End]
	}
	w.res.scratch = w.ix.At(at).Text(w.res.scratch[:0])
	return w.res.scratch
}

func (w *walker) bounds(at int, want *check, f event.Field) {
	text := w.text(at)
	if want.maxLength > 0 && len(text) > want.maxLength && utf8.RuneCount(text) > want.maxLength {
		w.res.fault(CodeLength, w.checks.dict.Path(f), "shorten the text to the contract's max_length")
	}
	if want.enum != nil && !oneOf(text, want.enum) {
		w.res.fault(CodeEnum, w.checks.dict.Path(f), "send one of the values the contract lists")
	}
}

func oneOf(text []byte, values []string) bool {
	for _, value := range values {
		if string(text) == value {
			return true
		}
	}
	return false
}

// article names the type in a sentence.
func (t Type) article() string {
	switch t {
	case Integer, Object, Array:
		return "an " + t.String()
	case Timestamp:
		return "an RFC 3339 timestamp with a zone, as text"
	}
	return "a " + t.String()
}
