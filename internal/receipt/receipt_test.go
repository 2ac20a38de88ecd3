package receipt

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAReceiptIsReadAsItWasWritten(t *testing.T) {
	want := &Receipt{
		ID: NewID(), At: time.Date(2026, 4, 13, 10, 0, 0, 4e6, time.UTC), Source: "billing", Scheme: "stripe",
		Delivery: "evt_1", EventID: "evt_x", Attempt: 2, Correlation: "req_1", Verification: Verified, Key: "2026-04",
		BodySHA256: SumBody([]byte("{}")), BodyBytes: 2, Remote: "public", Status: 200, Raw: &Ref{"inbound.webhooks", 3, 0},
	}
	text, err := want.Append(nil)
	require.NoError(t, err)
	got, err := Parse(text)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for _, bad := range []string{"", "null", "{}", "[]", string(text) + string(text), strings.Replace(string(text), `"status"`, `"Stat"`, 1)} {
		_, err := Parse([]byte(bad))
		require.Equal(t, ErrMalformed, err, bad)
	}
}

func TestIDsSortByTime(t *testing.T) {
	last := NewID()
	for range 1000 {
		id := NewID()
		require.Greater(t, id, last)
		last = id
	}
}
