package dialect

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
)

func FuzzContext(f *testing.F) {
	f.Add(`{"consent":{"categoryPreferences":{"Advertising":true,"Analytics":false}}}`, false)
	f.Add(`{"consent":{"explicit":"true","optOut":{"Analytics":"false"}},"consentManagement":{"allowedConsentIds":["Analytics"],"deniedConsentIds":[]}}`, true)
	f.Add(`{"consent":{"tcString":"`+tcString([]int{3, 4, 8}, []int{7})+`","gpc":1}}`, false)
	h := newHouse(f, testMapping)
	f.Fuzz(func(t *testing.T, context string, gpc bool) {
		s, ok := h.read(context, gpc)
		if !ok {
			return
		}
		require.Zero(t, s.Given&s.Refused)
		if gpc {
			require.True(t, s.Refused.Has(h.rules.byGPC))
		}
		require.Zero(t, (s.Given|s.Refused)&^h.rules.mapped)
		var ix event.Index
		require.NoError(t, h.scanner.Scan(h.rules.Append(nil, s, []byte("2026-04-13T10:00:00Z")), &ix))
	})
}

// FuzzIAB reads any text as TCF and as GPP: it ends, without a panic, and only a string that was read grants anything.
func FuzzIAB(f *testing.F) {
	f.Add(tcString([]int{3, 4, 8}, []int{7}, restriction{8, restrictNotAllowed, 7}))
	f.Add(gppString([]int{2, 6, 7}, tcString([]int{8}, nil), "1YNN", usSection(7, 1)+".YA"))
	f.Add("DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN")
	m := testMapping
	m.Vendor = 7
	h := newHouse(f, m)
	f.Fuzz(func(t *testing.T, text string) {
		for name, all := range map[string]func() (verdict, bool){
			"tcf": func() (verdict, bool) { return h.rules.readTCF(text) },
			"gpp": func() (verdict, bool) { return h.rules.readGPP(text) },
		} {
			v, ok := all()
			require.True(t, ok || v == verdict{}, name)
			require.Zero(t, (v.given|v.refused)&^h.rules.mapped, name)
		}
		if quoted := strconv.Quote(text); len(text) > maxIABString {
			s, ok := h.read(`{"consent":{"tcString":`+quoted+`}}`, false)
			require.True(t, !ok || s.Given == 0)
		}
	})
}
