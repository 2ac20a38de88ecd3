package dialect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

var testMapping = Mapping{Purposes: map[string]Purpose{
	"analytics": {Categories: []string{"Analytics"}, TCF: []int{8}},
	"marketing": {
		Categories: []string{"Advertising", "C0004"}, TCF: []int{3, 4},
		OptOuts: []string{"sale", "sharing", "targeted_advertising"}, GPC: true,
	},
}}

type house struct {
	rules   *Rules
	reader  *Reader
	scanner *event.Scanner
}

func newHouse(t testing.TB, m Mapping) *house {
	t.Helper()
	purposes, err := consent.NewPurposes("analytics", "marketing", "support")
	require.NoError(t, err)
	rules, err := New(purposes, m)
	require.NoError(t, err)
	dict, err := event.NewDictionary(rules.Paths("context")...)
	require.NoError(t, err)
	reader, err := rules.Reader(dict, "context")
	require.NoError(t, err)
	return &house{rules, reader, event.NewScanner(dict, event.Limits{})}
}

// read gives the statement of one context, or false where the scanner refuses the event.
func (h *house) read(context string, gpc bool) (Statement, bool) {
	var ix event.Index
	if h.scanner.Scan([]byte(`{"context":`+context+`}`), &ix) != nil {
		return Statement{}, false
	}
	v, _ := ix.Get(event.Context)
	return h.reader.Read([]event.Value{v}, gpc), true
}

// said spells a statement: the given purposes, then the refused ones behind a minus.
func (h *house) said(t testing.TB, s Statement) string {
	t.Helper()
	require.Zero(t, s.Given&s.Refused)
	text := ""
	for _, name := range h.rules.purposes.Names() {
		switch bit, _ := h.rules.purposes.Bit(name); {
		case s.Given.Has(bit):
			text += " " + name
		case s.Refused.Has(bit):
			text += " -" + name
		}
	}
	return text
}

// bitWriter writes what bitReader reads, padded to whole bytes as TCF strings are.
type bitWriter []byte // a bit each

func (b *bitWriter) put(value, count int) {
	for i := count - 1; i >= 0; i-- {
		*b = append(*b, byte(value>>i&1))
	}
}

func (b bitWriter) text() string {
	for len(b)%24 != 0 {
		b = append(b, 0)
	}
	text := make([]byte, 0, len(b)/6)
	for i := 0; i < len(b); i += 6 {
		digit := 0
		for _, bit := range b[i : i+6] {
			digit = digit<<1 | int(bit)
		}
		text = append(text, base64URL[digit])
	}
	return string(text)
}

// restriction is a publisher's restriction of one purpose for one vendor.
type restriction struct{ purpose, kind, vendor int }

// tcString is a TCF v2 string with consent to the purposes and to the vendors, at most 20.
func tcString(purposes, vendors []int, restrictions ...restriction) string {
	var b bitWriter
	b.put(2, 6)
	b.put(15_000_000_000, 36) // created
	b.put(15_000_000_000, 36) // updated
	b.put(10, 12)             // consent tool
	b.put(1, 12)
	b.put(1, 6)
	b.put(4, 6)
	b.put(13, 6) // EN
	b.put(60, 12)
	b.put(4, 6)
	b.put(0, 1+1+12)
	b.flags(purposes, 24)
	b.put(0, 24+1) // legitimate interest, one treatment
	b.put(4, 6)
	b.put(13, 6)
	b.put(20, 16)
	b.put(0, 1)
	b.flags(vendors, 20)
	b.put(0, 16+1) // vendors of legitimate interest
	b.put(len(restrictions), 12)
	for _, r := range restrictions {
		b.put(r.purpose, 6)
		b.put(r.kind, 2)
		b.put(1, 12)
		b.put(0, 1)
		b.put(r.vendor, 16)
	}
	return b.text()
}

func (b *bitWriter) flags(set []int, count int) {
	bits := make([]byte, count)
	for _, number := range set {
		bits[number-1] = 1
	}
	*b = append(*b, bits...)
}

// gppString is a GPP string of sections, by ascending id.
func gppString(ids []int, sections ...string) string {
	var b bitWriter
	b.put(gppType, 6)
	b.put(gppVersion, 6)
	b.put(len(ids), 12)
	last := 0
	for _, id := range ids {
		b.put(0, 1)
		b.fibonacci(id - last)
		last = id
	}
	text := b.text()
	for _, section := range sections {
		text += "~" + section
	}
	return text
}

func (b *bitWriter) fibonacci(value int) {
	weights := []int{1, 2, 3, 5, 8, 13, 21, 34, 55, 89}
	bits := make([]byte, len(weights))
	top := 0
	for i := len(weights) - 1; i >= 0; i-- {
		if weights[i] <= value {
			value -= weights[i]
			bits[i] = 1
			top = max(top, i)
		}
	}
	*b = append(append(*b, bits[:top+1]...), 1)
}

// usSection is the core of a US section with one choice of 0 to 3 at each of its opt-outs.
func usSection(id, choice int) string {
	core := make([]byte, 72)
	set := func(at, value, count int) {
		for i := range count {
			core[at+i] = byte(value >> (count - 1 - i) & 1)
		}
	}
	set(0, usVersion, 6)
	l := usLayouts[id]
	for _, at := range []int{l.sale, l.sharing, l.targeted} {
		if at > 0 {
			set(at, choice, 2)
		}
	}
	return bitWriter(core).text()
}
