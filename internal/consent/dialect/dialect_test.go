package dialect

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

func TestWhatEachDialectSays(t *testing.T) {
	h := newHouse(t, testMapping)
	tc := func(purposes ...int) string { return `"` + tcString(purposes, nil) + `"` }
	for _, c := range []struct{ name, context, said, source string }{
		{"nothing", `{}`, "", ""},
		{"null", `{"consent":null,"consentManagement":null}`, "", ""},

		{"segment", `{"consent":{"categoryPreferences":{"Advertising":true,"C0004":true,"Analytics":true}}}`, " analytics marketing", "segment"},
		{"segment, every category of a purpose is needed", `{"consent":{"categoryPreferences":{"Advertising":true,"Analytics":true}}}`, " analytics", "segment"},
		{"segment, one no of several", `{"consent":{"categoryPreferences":{"Advertising":true,"C0004":false}}}`, " -marketing", "segment"},
		{"segment, empty", `{"consent":{"categoryPreferences":{}}}`, "", "segment"},
		{"segment, unknown category", `{"consent":{"categoryPreferences":{"Other":true}}}`, "", "segment"},
		{"segment, text is not true", `{"consent":{"categoryPreferences":{"Analytics":"true"}}}`, " -analytics", "segment"},
		{"segment, a list", `{"consent":{"categoryPreferences":["Analytics"]}}`, " -analytics -marketing", "segment"},
		{"consent is text", `{"consent":"all"}`, " -analytics -marketing", "segment"},

		{"consent manager", `{"consent":{"defaultDestinationBehavior":"enable","destinationPreferences":{"Analytics":true},"categoryPreferences":null}}`, " analytics", "consent_manager"},
		{"consent manager contradicts itself", `{"consent":{"destinationPreferences":{"Analytics":false},"categoryPreferences":{"Analytics":true}}}`, " -analytics", "segment+consent_manager"},
		{"consent manager, a default is no choice", `{"consent":{"defaultDestinationBehavior":"enable","destinationPreferences":{}}}`, "", "consent_manager"},

		{"metarouter, asked", `{"consent":{"explicit":"true","optOut":{"Analytics":"false","C0004":"true"}}}`, " analytics -marketing", "metarouter"},
		{"metarouter, not asked", `{"consent":{"explicit":"false","optOut":{"Analytics":"false","C0004":"true"}}}`, " -marketing", "metarouter"},
		{"metarouter, unclear", `{"consent":{"explicit":"true","optOut":{"Analytics":"no"}}}`, " -analytics", "metarouter"},

		{"rudderstack, and", `{"consentManagement":{"provider":"oneTrust","resolutionStrategy":"and","allowedConsentIds":["Analytics","Advertising"],"deniedConsentIds":["C0004"]}}`, " analytics -marketing", "rudderstack"},
		{"rudderstack, or", `{"consentManagement":{"provider":"ketch","resolutionStrategy":"or","allowedConsentIds":["Analytics","Advertising"],"deniedConsentIds":["C0004"]}}`, " analytics marketing", "rudderstack"},
		{"rudderstack, or, all denied", `{"consentManagement":{"resolutionStrategy":"or","deniedConsentIds":["C0004","Advertising"]}}`, " -marketing", "rudderstack"},
		{"rudderstack, not denied is not granted", `{"consentManagement":{"deniedConsentIds":[]}}`, "", "rudderstack"},
		{"rudderstack, no strategy is and", `{"consentManagement":{"allowedConsentIds":["Advertising"],"deniedConsentIds":["C0004"]}}`, " -marketing", "rudderstack"},
		{"rudderstack, both lists", `{"consentManagement":{"allowedConsentIds":["Analytics"],"deniedConsentIds":["Analytics"]}}`, " -analytics", "rudderstack"},
		{"rudderstack, a list that is none", `{"consentManagement":{"allowedConsentIds":["Analytics"],"deniedConsentIds":"C0004"}}`, " -analytics -marketing", "rudderstack"},
		{"rudderstack, an id that is none", `{"consentManagement":{"allowedConsentIds":["Analytics",4]}}`, " -analytics -marketing", "rudderstack"},
		{"rudderstack, an escaped id", `{"consentManagement":{"allowedConsentIds":["\u0041nalytics"]}}`, " analytics", "rudderstack"},

		{"tcf", `{"consent":{"tcString":` + tc(3, 4, 8) + `}}`, " analytics marketing", "tcf"},
		{"tcf, one purpose short", `{"consent":{"tcString":` + tc(3, 8) + `}}`, " analytics -marketing", "tcf"},
		{"tcf, with segments", `{"consent":{"tcString":"` + tcString([]int{8}, nil) + `.YAAAAAAAAAAA"}}`, " analytics -marketing", "tcf"},
		{"tcf, the IAB's example", `{"consent":{"tcString":"COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA.IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEAAAAAgAQBAAAAAAAGBAAgAAAAAAAFAAECAAAgAAQARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw"}}`, " -analytics -marketing", "tcf"},
		{"tcf, version 1", `{"consent":{"tcString":"BOOlLqOOOlLqTABABAENAk-AAAAXx799uQ9kOm5LgAAACAAAA"}}`, " -analytics -marketing", "tcf"},
		{"tcf, cut short", `{"consent":{"tcString":"COvFyGBOvFyG"}}`, " -analytics -marketing", "tcf"},
		{"tcf, a number", `{"consent":{"tcString":1}}`, " -analytics -marketing", "tcf"},

		{"gpp, tcf", `{"consent":{"gppString":"` + gppString([]int{2}, tcString([]int{3, 4, 8}, nil)) + `"}}`, " analytics marketing", "gpp"},
		{"gpp, tcf and an objection", `{"consent":{"gppString":"` + gppString([]int{2, 6}, tcString([]int{3, 4, 8}, nil), "1YYN") + `"}}`, " analytics -marketing", "gpp"},
		{"gpp, no objection is no consent", `{"consent":{"gppString":"` + gppString([]int{7}, usSection(7, didNotOptOut)) + `"}}`, "", "gpp"},
		{"gpp, with GPC", `{"consent":{"gppString":"` + gppString([]int{7}, usSection(7, didNotOptOut)+".YA") + `"}}`, " -marketing", "gpp"},
		{"gpp, unknown section", `{"consent":{"gppString":"` + gppString([]int{2, 40}, tcString([]int{3, 4, 8}, nil), "BAAA") + `"}}`, " -analytics -marketing", "gpp"},
		{"gpp, the IAB's example", `{"consent":{"gppString":"DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN"}}`, " -analytics -marketing", "gpp"},
		{"gpp, a section without an id", `{"consent":{"gppString":"` + gppString([]int{2}, tcString([]int{3, 4, 8}, nil), "1YYN") + `"}}`, " -analytics -marketing", "gpp"},
		{"gpp, a section is missing", `{"consent":{"gppString":"DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"}}`, " -analytics -marketing", "gpp"},

		{"gpc", `{"consent":{"gpc":true,"categoryPreferences":{"Advertising":true,"C0004":true,"Analytics":true}}}`, " analytics -marketing", "segment+gpc"},
		{"gpc, unclear", `{"consent":{"gpc":{}}}`, " -marketing", "gpc"},
		{"gpc, off", `{"consent":{"gpc":false}}`, "", ""},
		{"two dialects, one no", `{"consent":{"categoryPreferences":{"Analytics":true}},"consentManagement":{"deniedConsentIds":["Analytics"]}}`, " -analytics", "segment+rudderstack"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, ok := h.read(c.context, false)
			require.True(t, ok)
			require.Equal(t, c.said, h.said(t, s))
			require.Equal(t, c.source, string(s.Dialects.append(nil)))
			require.Zero(t, s.Given&s.Refused)
		})
	}
}

func TestEveryUSSectionCanObject(t *testing.T) {
	h := newHouse(t, testMapping)
	for id := range usLayouts {
		for choice, said := range []string{"", " -marketing", "", " -marketing"} {
			s, ok := h.read(`{"consent":{"gppString":"`+gppString([]int{id}, usSection(id, choice))+`"}}`, false)
			require.True(t, ok)
			require.Equal(t, said, h.said(t, s), "section %d, choice %d", id, choice)
		}
	}
	for text, said := range map[string]string{"1YYN": " -marketing", "1YNN": "", "1---": "", "2YNN": " -analytics -marketing", "1yyn": " -analytics -marketing"} {
		s, ok := h.read(`{"consent":{"gppString":"`+gppString([]int{6}, text)+`"}}`, false)
		require.True(t, ok)
		require.Equal(t, said, h.said(t, s), text)
	}
}

func TestAVendorNeedsConsentOfItsOwn(t *testing.T) {
	m := testMapping
	m.Vendor = 7
	h := newHouse(t, m)
	for _, c := range []struct{ text, said string }{
		{tcString([]int{3, 4, 8}, []int{7}), " analytics marketing"},
		{tcString([]int{3, 4, 8}, []int{8}), " -analytics -marketing"},
		{tcString([]int{3, 4, 8}, []int{7}, restriction{8, restrictNotAllowed, 7}), " -analytics marketing"},
		{tcString([]int{3, 4, 8}, []int{7}, restriction{4, restrictLegitimateInterest, 7}), " analytics -marketing"},
		{tcString([]int{3, 4, 8}, []int{7}, restriction{4, restrictNotAllowed, 9}), " analytics marketing"},
	} {
		s, _ := h.read(`{"consent":{"tcString":"`+c.text+`"}}`, false)
		require.Equal(t, c.said, h.said(t, s))
	}
}

func TestTheHeaderCountsAsGPC(t *testing.T) {
	h := newHouse(t, testMapping)
	s, _ := h.read(`{"consent":{"categoryPreferences":{"Advertising":true,"C0004":true,"Analytics":true}}}`, true)
	require.Equal(t, " analytics -marketing", h.said(t, s))
}

func TestANoInEitherContextHolds(t *testing.T) {
	h := newHouse(t, testMapping)
	contexts := make([]event.Value, 2)
	for i, body := range []string{`{"context":{"consent":{"categoryPreferences":{"Analytics":true}}}}`, `{"context":{"consent":{"categoryPreferences":{"Analytics":false}}}}`} {
		var ix event.Index
		require.NoError(t, h.scanner.Scan([]byte(body), &ix))
		contexts[i], _ = ix.Get(event.Context)
	}
	require.Equal(t, " -analytics", h.said(t, h.reader.Read(contexts, false)))
	contexts[0], contexts[1] = contexts[1], contexts[0]
	require.Equal(t, " -analytics", h.said(t, h.reader.Read(contexts, false)))
}

func TestNamesThatLookLikeACategoryDoNotPass(t *testing.T) {
	h := newHouse(t, testMapping)
	for _, context := range []string{
		`{"consent":{"categoryPreferences":{"analytics":true}}}`,
		`{"consent":{"CategoryPreferences":{"Analytics":true}}}`,
		`{"consent":{"categoryPreferences":{"Analytics":true,"\u0041nalytics":false}}}`,
	} {
		_, ok := h.read(context, false)
		require.False(t, ok, context)
	}
}

func TestTheConsentObject(t *testing.T) {
	h := newHouse(t, testMapping)
	at := time.Date(2026, 4, 13, 10, 0, 0, 4e6, time.UTC)
	s, _ := h.read(`{"consent":{"categoryPreferences":{"Analytics":true,"C0004":false}}}`, true)
	require.Equal(t, `{"analytics":true,"marketing":false,"source":"segment+gpc","checked_at":"2026-04-13T10:00:00.004Z"}`,
		string(h.rules.Append(nil, s, []byte("2026-04-13T10:00:00.004Z"))))
	require.Equal(t, &consent.Record{
		Purposes: map[string]bool{"analytics": true, "marketing": false}, Source: "segment+gpc", ChangedAt: at, Proof: "evt_1",
	}, h.rules.Record(s, at, "evt_1"))
}

func TestAMappingThatCannotHold(t *testing.T) {
	purposes, err := consent.NewPurposes("analytics")
	require.NoError(t, err)
	var many []string
	for i := range maxCategories + 1 {
		many = append(many, "c"+strings.Repeat("x", i))
	}
	for what, p := range map[string]map[string]Purpose{
		"not in the policy":       {"analytic": {}},
		"no TCF purpose":          {"analytics": {TCF: []int{0}}},
		"no US opt-out":           {"analytics": {OptOuts: []string{"sales"}}},
		"more than 64 categories": {"analytics": {Categories: many}},
	} {
		_, err := New(purposes, Mapping{Purposes: p})
		require.ErrorContains(t, err, what)
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	h := newHouse(t, testMapping)
	var ix event.Index
	body := `{"context":{"consent":{"categoryPreferences":{"Analytics":true,"C0004":false},"tcString":"` + tcString([]int{8}, nil) +
		`"},"consentManagement":{"allowedConsentIds":["Analytics"],"deniedConsentIds":["C0004"]}}}`
	require.NoError(t, h.scanner.Scan([]byte(body), &ix))
	v, _ := ix.Get(event.Context)
	contexts := []event.Value{v}
	require.Zero(t, testing.AllocsPerRun(100, func() { h.reader.Read(contexts, false) }))
}
