package segment

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/event"
)

const fuzzedKey = "wk_never_in_an_envelope"

// FuzzBody opens any body by any route. What comes out keeps the promises, whatever went in.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"batch":[`+everything+`],"writeKey":"`+fuzzedKey+`","sentAt":"2026-04-13T09:59:10.000Z","context":{"ip":"::1"}}`), uint8(Batch), true)
	f.Add([]byte(everything), uint8(Single), false)
	f.Add([]byte(`{"batch":[{"type":"alias","userId":1,"previousId":"\u0000"},{"type":"identify","anonymousId":"a","traits":{"email":"\ud83d\ude00"}}]}`), uint8(Batch), false)
	f.Add([]byte(`eyJ1c2VySWQiOiJ1In0`), uint8(Pixel), true)
	h := newHouse(f, Limits{Events: 50})
	f.Fuzz(func(t *testing.T, body []byte, kind uint8, fromBrowser bool) {
		source := server
		if fromBrowser {
			source = browser
		}
		if fault := h.reader.Open(Route{Kind: Kind(kind), Type: Type(kind)}, body); fault != nil {
			require.NotEmpty(t, fault.Code)
			return
		}
		key := string(h.reader.WriteKey())
		outcomes := h.reader.Map(source, request(), nil)
		require.Len(t, outcomes, h.reader.Len())
		for i := range outcomes {
			h.check(t, &outcomes[i])
			require.False(t, key == fuzzedKey && strings.Count(string(body), fuzzedKey) == 1 && bytes.Contains(outcomes[i].Envelope, []byte(fuzzedKey)))
		}
		again := h.mapper.NewReader()
		require.Nil(t, again.Open(Route{Kind: Kind(kind), Type: Type(kind)}, body))
		for i, o := range again.Map(source, request(), nil) {
			require.Equal(t, outcomes[i].Envelope, o.Envelope)
			require.Equal(t, outcomes[i].EventID, o.EventID)
		}
	})
}

// TestABatchIsItsEvents: an event fares in a batch as it does alone.
func TestABatchIsItsEvents(t *testing.T) {
	h := newHouse(t, Limits{})
	calls := []string{
		everything, `{"type":"page","userId":"u","messageId":"m"}`, `{"type":"page"}`, `{"a":1,"a":2}`, `[]`, `"]"`, `{"x":"\"}"}`,
		`{"type":"identify","userId":1,"anonymousId":"a","context":{"traits":{"email":"ada@example.com"}}}`, `{"type":"group","userId":"u","groupId":"g\u00e9"}`,
	}
	rapid.Check(t, func(t *rapid.T) {
		batch := rapid.SliceOfN(rapid.SampledFrom(calls), 1, 12).Draw(t, "calls")
		space := rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space")
		body := `{"sentAt":"2026-04-13T09:59:10.000Z",` + space + `"batch":[` + space + strings.Join(batch, space+","+space) + `]` + space + `}`
		require.Nil(t, h.reader.Open(Route{Kind: Batch}, []byte(body)))
		outcomes := h.reader.Map(browser, request(), nil)
		require.Len(t, outcomes, len(batch))
		for i, call := range batch {
			require.Nil(t, h.reader.Open(Route{Kind: Batch}, []byte(`{"batch":[`+call+`],"sentAt":"2026-04-13T09:59:10.000Z"}`)))
			alone := h.reader.Map(browser, request(), nil)[0]
			require.Equal(t, string(alone.Envelope), string(outcomes[i].Envelope))
			require.Equal(t, alone.Digest, outcomes[i].Digest)
			require.Equal(t, alone.Fault, outcomes[i].Fault)
			require.Equal(t, alone.Raw, outcomes[i].Raw)
		}
	})
}

// FuzzSplit: of a body that the strict scanner takes, split finds the same elements.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":"]\\\""},1],"batch":[{"x":[{}]}, "," ,null,-1e3] , "c":{}}`))
	dict, err := event.NewDictionary("batch")
	require.NoError(f, err)
	scanner := event.NewScanner(dict, event.Limits{})
	f.Fuzz(func(t *testing.T, body []byte) {
		spans, list, found, ok := split(body, nil, 1000)
		var ix event.Index
		if scanner.Scan(body, &ix) != nil {
			return
		}
		require.True(t, ok)
		v, has := ix.Get(dict.Field("batch"))
		if !has || v.Kind() != event.Array || string(ix.Buf[ix.Nodes[v.Pos()].KeyStart:ix.Nodes[v.Pos()].KeyEnd]) != "batch" {
			require.False(t, found)
			return
		}
		require.True(t, found)
		require.Equal(t, string(v.Raw()), "["+string(body[list.start:list.end])+"]")
		i := 0
		v.Each(func(element event.Value) bool {
			require.Contains(t, []string{string(element.Raw()), `"` + string(element.Raw()) + `"`}, string(body[spans[i].start:spans[i].end]))
			i++
			return true
		})
		require.Len(t, spans, i)
	})
}
