package dialect

import (
	"github.com/prebid/go-gdpr/consentconstants"
	tcf2 "github.com/prebid/go-gdpr/vendorconsent/tcf2"
)

// Kinds of publisher restriction under which consent is not, or not enough, of a legal basis.
const (
	restrictNotAllowed         = 0
	restrictLegitimateInterest = 2
)

// readTCF understands a TCF v2 string. Legitimate interest is no consent, so its half of the string is not looked at.
func (r *Rules) readTCF(text string) (v verdict, ok bool) {
	// The parser indexes some strings beyond their end. Whatever it cannot read is not read.
	defer func() {
		if recover() != nil {
			v, ok = verdict{}, false
		}
	}()
	if !tcf2.IsConsentV2(text) {
		return verdict{}, false
	}
	parsed, err := tcf2.ParseString(text)
	if err != nil {
		return verdict{}, false
	}
	tc, ok := parsed.(tcf2.ConsentMetadata)
	if !ok || tc.Version() != 2 {
		return verdict{}, false
	}
	for i := range r.byPurpose {
		p := &r.byPurpose[i]
		switch {
		case len(p.tcf) == 0:
		case r.consented(&tc, p.tcf):
			v.given |= p.bit
		default:
			v.refused |= p.bit
		}
	}
	return v, true
}

func (r *Rules) consented(tc *tcf2.ConsentMetadata, purposes []int) bool {
	if r.vendor != 0 && !tc.VendorConsent(r.vendor) {
		return false
	}
	for _, number := range purposes {
		if !tc.PurposeAllowed(consentconstants.Purpose(number)) {
			return false
		}
		if r.vendor != 0 && (tc.CheckPubRestriction(uint8(number), restrictNotAllowed, r.vendor) ||
			tc.CheckPubRestriction(uint8(number), restrictLegitimateInterest, r.vendor)) {
			return false
		}
	}
	return true
}
