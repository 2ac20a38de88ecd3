package consent

import (
	"fmt"
	"math/bits"
	"slices"
)

// MaxPurposes is how many purposes a policy may know: one bit each in a Mask.
const MaxPurposes = 64

// Mask is a set of purposes, one bit per position in a Purposes list.
type Mask uint64

// Has reports whether the mask holds every purpose of other. The empty mask is always held.
func (m Mask) Has(other Mask) bool { return m&other == other }

// Purposes is a fixed, sorted list of purposes. It is immutable, safe for concurrent use and compared by address: masks made
// with one list mean nothing in another.
type Purposes struct {
	names   []string
	reasons []reasonTexts
}

// NewPurposes sorts the names and removes repeats. More than MaxPurposes are an error.
func NewPurposes(names ...string) (*Purposes, error) {
	sorted := slices.Compact(slices.Sorted(slices.Values(names)))
	if len(sorted) > MaxPurposes {
		return nil, fmt.Errorf("numbering purposes: %d are declared, %d are possible", len(sorted), MaxPurposes)
	}
	p := &Purposes{names: sorted}
	for _, name := range sorted {
		p.reasons = append(p.reasons, newReasonTexts(name))
	}
	return p, nil
}

// Names returns the purposes in order. The slice is the list's own: do not change it.
func (p *Purposes) Names() []string { return p.names }

// Len counts the purposes.
func (p *Purposes) Len() int { return len(p.names) }

// Bit returns the mask of one purpose; ok is false, and the mask empty, for a purpose that is not in the list.
func (p *Purposes) Bit(name string) (bit Mask, ok bool) {
	i, ok := slices.BinarySearch(p.names, name)
	if !ok {
		return 0, false
	}
	return 1 << i, true
}

// All is the mask of every purpose in the list.
func (p *Purposes) All() Mask { return Mask(1)<<len(p.names) - 1 }

func (p *Purposes) first(m Mask) int { return bits.TrailingZeros64(uint64(m)) }

// Equal reports whether masks made with p mean the same in other.
func (p *Purposes) Equal(other *Purposes) bool {
	return p == other || (p != nil && other != nil && slices.Equal(p.names, other.names))
}
