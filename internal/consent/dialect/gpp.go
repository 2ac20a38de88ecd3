package dialect

import (
	"strings"

	"github.com/ebbgate/ebbgate/internal/consent"
)

// The header of a GPP string is read here and not by prebid/go-gpp: that computes Fibonacci numbers of any index by
// recursion and expands ranges of any length, which a sender can make last for ever.
const (
	gppType        = 3
	gppVersion     = 1
	maxGPPSections = 32
	maxFibonacci   = 20 // bits of one number; ids of sections are small
)

// byGPP are the purposes a GPP string can speak of.
func (r *Rules) byGPP() consent.Mask { return r.byTCF | r.byOptOut | r.byGPC }

// readGPP understands a GPP string: what its TCF section says, less what its US sections object to.
func (r *Rules) readGPP(text string) (v verdict, ok bool) {
	sections := strings.Split(text, "~")
	ids, ok := gppHeader(sections[0])
	if !ok || len(ids) != len(sections)-1 {
		return verdict{}, false
	}
	for i, id := range ids {
		one := r.readSection(id, sections[i+1])
		v.given |= one.given
		v.refused |= one.refused
	}
	return v, true
}

func (r *Rules) readSection(id int, text string) verdict {
	if id == sectionTCF {
		if v, ok := r.readTCF(text); ok {
			return v
		}
		return verdict{refused: r.byTCF}
	}
	objected, gpc, ok := readUS(id, text)
	if !ok {
		return verdict{refused: r.byGPP()}
	}
	var v verdict
	mark(&v.refused, r.byGPC, gpc)
	for i := range r.byPurpose {
		mark(&v.refused, r.byPurpose[i].bit, r.byPurpose[i].optOuts&objected != 0)
	}
	return v
}

// gppHeader gives the ids of the sections, ascending.
func gppHeader(text string) (ids []int, ok bool) {
	b, ok := decodeBits(text)
	if !ok || b.take(6) != gppType || b.take(6) != gppVersion {
		return nil, false
	}
	last := 0
	for range b.take(12) {
		isRange := b.take(1) == 1
		first := last + b.fibonacci()
		end := first
		if isRange {
			end += b.fibonacci()
		}
		if b.short || first <= last || end-first >= maxGPPSections {
			return nil, false
		}
		for id := first; id <= end; id++ {
			ids = append(ids, id)
		}
		if last = end; len(ids) > maxGPPSections {
			return nil, false
		}
	}
	return ids, !b.short
}

// bitReader reads base64url text bit by bit, six to a character, as IAB strings are written.
type bitReader struct {
	text  string
	at    int
	short bool // a read passed the end
}

const base64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func decodeBits(text string) (*bitReader, bool) {
	text = strings.TrimRight(text, "=")
	return &bitReader{text: text}, text != "" && strings.Trim(text, base64URL) == ""
}

func (b *bitReader) take(count int) (value int) {
	for range count {
		if b.at >= 6*len(b.text) {
			b.short = true
			return 0
		}
		digit := strings.IndexByte(base64URL, b.text[b.at/6])
		value = value<<1 | digit>>(5-b.at%6)&1
		b.at++
	}
	return value
}

// fibonacci reads a number in Fibonacci coding, which ends with two ones.
func (b *bitReader) fibonacci() (value int) {
	weight, next, before := 1, 2, 0
	for range maxFibonacci {
		bit := b.take(1)
		if bit == 1 && before == 1 {
			return value
		}
		value += bit * weight
		weight, next, before = next, weight+next, bit
	}
	b.short = true
	return 0
}
