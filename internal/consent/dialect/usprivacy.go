package dialect

import "strings"

// Sections of GPP strings, by the IAB's numbers.
const (
	sectionTCF         = 2
	sectionUSPrivacy   = 6
	sectionNational    = 7
	sectionCalifornia  = 8
	sectionVirginia    = 9
	sectionColorado    = 10
	sectionUtah        = 11
	sectionConnecticut = 12
)

// usLayout is where the opt-outs of a US section stand: bit offsets in its core segment, 0 for none.
type usLayout struct{ sale, sharing, targeted int }

var usLayouts = map[int]usLayout{
	sectionNational:    {sale: 18, sharing: 20, targeted: 22},
	sectionCalifornia:  {sale: 12, sharing: 14},
	sectionVirginia:    {sale: 12, targeted: 14},
	sectionColorado:    {sale: 12, targeted: 14},
	sectionUtah:        {sale: 14, targeted: 16},
	sectionConnecticut: {sale: 12, targeted: 14},
}

const (
	usVersion     = 1
	didNotOptOut  = 2
	notApplicable = 0
	gpcSubsection = 1
)

// readUS gives what a US section objects to.
func readUS(id int, text string) (objected optOut, gpc, ok bool) {
	if id == sectionUSPrivacy {
		return readUSPrivacy(text)
	}
	layout, known := usLayouts[id]
	segments := strings.Split(text, ".")
	core, ok := decodeBits(segments[0])
	if !known || !ok || core.take(6) != usVersion {
		return 0, false, false
	}
	for _, field := range [...]struct {
		at  int
		bit optOut
	}{{layout.sale, optOutSale}, {layout.sharing, optOutSharing}, {layout.targeted, optOutTargeted}} {
		if field.at == 0 {
			continue
		}
		core.at = field.at
		if said := core.take(2); said != notApplicable && said != didNotOptOut {
			objected |= field.bit
		}
	}
	for _, segment := range segments[1:] {
		sub, ok := decodeBits(segment)
		if !ok {
			return 0, false, false
		}
		if sub.take(2) == gpcSubsection && sub.take(1) == 1 {
			gpc = true
		}
	}
	return objected, gpc, !core.short
}

// readUSPrivacy reads the four characters of the older US Privacy string: version, notice, opt-out of sale, agreement.
func readUSPrivacy(text string) (objected optOut, gpc, ok bool) {
	if len(text) != 4 || text[0] != '1' || strings.Trim(text[1:], "YN-") != "" {
		return 0, false, false
	}
	if text[2] == 'Y' {
		objected = optOutSale
	}
	return objected, false, true
}
