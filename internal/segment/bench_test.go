package segment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// benchBatch is a batch of 100 events of about 1 KB, as analytics.js sends them.
func benchBatch(messageIDs bool) []byte {
	var calls []string
	for i := range 100 {
		id := ""
		if messageIDs {
			id = fmt.Sprintf(`"messageId":"ajs-next-1776074390000-%08d-4c1b-9f2e",`, i)
		}
		calls = append(calls, fmt.Sprintf(`{"timestamp":"2026-04-13T09:59:%02d.123Z","integrations":{},"userId":"u_%d","anonymousId":"4f6f1f0e-%08d-1c2d",`+
			`"event":"Trial Started","type":"track","properties":{"plan":"pro","price":49.5,"seats":%d,"source":"pricing page","items":[{"sku":"base","cost":49.5},{"sku":"seat","cost":9}],`+
			`"comment":"%s"},"context":{"page":{"path":"/pricing","referrer":"https://example.com/","search":"","title":"Pricing","url":"https://example.com/pricing"},`+
			`"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36","locale":"en-GB",`+
			`"library":{"name":"analytics.js","version":"npm:next-1.84.1"},"timezone":"Europe/Berlin","consent":{"categoryPreferences":{"Analytics":true,"Advertising":false}}},`+
			`%s"_metadata":{"bundled":["Segment.io"],"unbundled":[],"bundledIds":[]}}`, i%60, i, i, i, strings.Repeat("x", 60), id))
	}
	return []byte(`{"batch":[` + strings.Join(calls, ",") + `],"sentAt":"2026-04-13T10:00:00.000Z","writeKey":"wk_1"}`)
}

func mapBatch(b testing.TB, h *house, body []byte, source *Source, into []Outcome) []Outcome {
	if fault := h.reader.Open(Route{Kind: Batch}, body); fault != nil {
		b.Fatal(fault)
	}
	return h.reader.Map(source, request(), into[:0])
}

func BenchmarkBatchOf100(b *testing.B) {
	for _, c := range []struct {
		name       string
		messageIDs bool
		source     *Source
	}{{"server", true, server}, {"browser", true, browser}, {"without_ids", false, server}} {
		b.Run(c.name, func(b *testing.B) {
			h, body := newHouse(b, Limits{}), benchBatch(c.messageIDs)
			outcomes := mapBatch(b, h, body, c.source, nil)
			for i := range outcomes {
				h.check(b, &outcomes[i])
				require.Nil(b, outcomes[i].Fault)
			}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				outcomes = mapBatch(b, h, body, c.source, outcomes)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/event")
		})
	}
}

// TestABatchCostsAFewAllocations: its envelopes, and nothing for each event.
func TestABatchCostsAFewAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	h, body := newHouse(t, Limits{}), benchBatch(true)
	outcomes := mapBatch(t, h, body, browser, nil)
	require.LessOrEqual(t, testing.AllocsPerRun(20, func() { outcomes = mapBatch(t, h, body, browser, outcomes) }), 5.0)
}
