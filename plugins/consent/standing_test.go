package consent

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ebbgate/ebbgate/internal/consent"
)

// What is amiss at a sender is no fault of a source that cannot say anything.
func TestStandings(t *testing.T) {
	for _, tc := range []struct {
		verdict    consent.Verdict
		lookupOnly bool
		want       string
	}{
		{consent.Verdict{Missing: true}, false, standingMissing},
		{consent.Verdict{Missing: true}, true, standingUnrecorded},
		{consent.Verdict{}, false, standingMissing},
		{consent.Verdict{Held: 1, Refused: 2}, true, standingValid},
		{consent.Verdict{Refused: 2}, false, standingRefused},
		{consent.Verdict{Erased: true}, false, standingRefused},
		{consent.Verdict{Unreadable: true, Missing: true}, true, standingUnreadable},
	} {
		assert.Equal(t, tc.want, standing(&tc.verdict, tc.lookupOnly), "%+v", tc.verdict)
	}
}
