package segment

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
)

func TestRejectCodes(t *testing.T) {
	h := newHouse(t, Limits{})
	source := &Source{Name: "s", Events: map[string]bool{"x": true, "page_viewed": true, "identify": true, "group": true, "alias": true, "größe": true}}
	for call, code := range map[string]string{
		`{"type":"track","event":"x"}`:                                             CodeNoID,
		`{"type":"track","event":"x","userId":""}`:                                 CodeNoID,
		`{"type":"track","userId":"u"}`:                                            CodeEventMissing,
		`{"type":"track","userId":"u","event":null}`:                               CodeEventMissing,
		`{"type":"track","userId":"u","event":"?!"}`:                               CodeEventMissing,
		`{"type":"track","userId":"u","event":7}`:                                  CodeEventType,
		`{"type":"track","userId":"u","event":"` + strings.Repeat("e", 129) + `"}`: CodeEventName,
		`{"type":"track","userId":"u","event":"y"}`:                                CodeEventNotAllowed,
		`{"type":"screen","userId":"u"}`:                                           CodeEventNotAllowed,
		`{"type":"track","userId":"u","event":"x","properties":[]}`:                CodePropertiesType,
		`{"type":"identify","userId":"u","traits":"t"}`:                            CodeTraitsType,
		`{"type":"page","userId":"u","name":1}`:                                    CodeNameType,
		`{"type":"page","userId":"u","category":{}}`:                               CodeCategoryType,
		`{"type":"video","userId":"u"}`:                                            CodeUnknownType,
		`{"userId":"u"}`:                                                           CodeUnknownType,
		`{"type":1,"userId":"u"}`:                                                  CodeUnknownType,
		`{"type":"page","userId":1.5}`:                                             CodeIDType,
		`{"type":"page","userId":true}`:                                            CodeIDType,
		`{"type":"page","userId":"u","anonymousId":{}}`:                            CodeIDType,
		`{"type":"group","userId":"u"}`:                                            CodeNoGroup,
		`{"type":"alias","userId":"u"}`:                                            CodeNoPrevious,
		`{"type":"alias","previousId":"u","anonymousId":"a"}`:                      CodeNoPrevious,
		`{"type":"page","userId":"u","timestamp":"yesterday"}`:                     CodeTimestamp,
		`{"type":"page","userId":"u","timestamp":1767225600}`:                      CodeTimestamp,
		`{"type":"page","userId":"u","timestamp":"2026-04-15T10:00:00Z"}`:          event.CodeEnvelopeFuture,
		`{"type":"page","userId":"u","timestamp":"2019-04-15T10:00:00Z"}`:          event.CodeEnvelopeAncient,
		`{"type":"page","userId":"u","userId":"v"}`:                                event.CodeDuplicateName,
		`{"type":"page","userId":"u","UserId":"v"}`:                                event.CodeNearName,
		`{"type":"page","userId":"u","properties":{"a":"\ud800"}}`:                 event.CodeSurrogate,
		"{\"type\":\"page\",\"userId\":\"\xff\"}":                                  event.CodeUTF8,
		`{"type":"page","userId":"u","properties":{"a":.1}}`:                       event.CodeSyntax,
		`"text"`: event.CodeNotObject,
		`null`:   event.CodeNotObject,
		`{"type":"page","userId":"u","properties":{"a":"` + strings.Repeat("a", 32<<10) + `"}}`: CodeEventTooLarge,
	} {
		o := h.one(t, source, call)
		require.NotNil(t, o.Fault, call)
		require.Equal(t, code, o.Fault.Code, call)
		require.Equal(t, call, string(o.Raw))
		h.check(t, &o)
		require.Equal(t, o.EventID, h.one(t, source, call).EventID)
	}
}

func TestABrokenEventCostsItsNeighboursNothing(t *testing.T) {
	h := newHouse(t, Limits{})
	good := `{"type":"page","userId":"u","messageId":"m"}`
	for _, bad := range []string{`{"a":01}`, `{"a":1,"a":2}`, `7`, `null`, `{}`, `"\"]},{"`, `[[]]`, "{\"x\":\"a\nb\"}", `{"a" 1}`, `{"type":"page"}`, `{"b":"}]\\"}`} {
		for at := range 3 {
			calls := []string{good, good, good}
			calls[at] = bad
			outcomes := h.batch(t, server, `{"sentAt":"2026-04-13T10:00:00Z", "batch" : [ `+strings.Join(calls, " ,\n")+` ] , "writeKey":"k"}`)
			require.Len(t, outcomes, 3)
			for i := range outcomes {
				require.Equal(t, i == at, outcomes[i].Fault != nil, "%s at %d", bad, at)
				h.check(t, &outcomes[i])
			}
		}
	}
}

func TestABodyThatIsRefusedWhole(t *testing.T) {
	h := newHouse(t, Limits{Events: 2, BatchBytes: 200})
	for body, code := range map[string]string{
		``:                               event.CodeSyntax,
		`[]`:                             event.CodeSyntax,
		`{"batch":[{"a":1}`:              event.CodeSyntax,
		`{"batch":[{"a":1]}`:             event.CodeSyntax,
		`{"batch":[{},]}`:                event.CodeSyntax,
		`{"batch":[{}`:                   event.CodeSyntax,
		`{"batch":["a]}`:                 event.CodeSyntax,
		`{"batch":[{}],"a":.1}`:          event.CodeSyntax,
		`{"batch":[{}]} {}`:              event.CodeTrailingData,
		`{"batch":[{}],"batch":[]}`:      event.CodeDuplicateName,
		`{"batch":[{}],"b\u0061tch":[]}`: event.CodeDuplicateName,
		`{"batch":[{}],"WriteKey":"k"}`:  event.CodeNearName,
		`{"b\u0061tch":[{}]}`:            CodeNoBatch,
		`{"batch":{}}`:                   CodeNoBatch,
		`{}`:                             CodeNoBatch,
		`{"batch":[]}`:                   CodeEmptyBatch,
		`{"batch":[{},{},{}]}`:           CodeTooManyEvents,
		`{"batch":["` + strings.Repeat("a", 200) + `"]}`: CodeBatchTooLarge,
	} {
		fault := h.reader.Open(Route{Kind: Batch}, []byte(body))
		require.NotNil(t, fault, body)
		require.Equal(t, code, fault.Code, body)
	}
	for _, body := range []string{``, `[]`, `{`, `{}{}`, `{"a":1`, `text`} {
		require.NotNil(t, h.reader.Open(Route{Kind: Single, Type: Page}, []byte(body)), body)
	}
	require.Equal(t, CodePixel, h.reader.Open(Route{Kind: Pixel, Type: Page}, []byte("{}")).Code)
}

func TestNobodyLooksFurtherThanTheLimit(t *testing.T) {
	events, _, found, _ := split([]byte(`{"batch":[`+strings.Repeat(`{},`, 1000)+`{}]}`), nil, 2)
	require.True(t, found)
	require.Len(t, events, 3)
}

func TestSingleCallsAndPixels(t *testing.T) {
	h := newHouse(t, Limits{})
	body := ` {"userId":"u","messageId":"m>?","type":"track","writeKey":"wk_1","timestamp":"2026-04-13T09:59:00Z","sentAt":"2026-04-13T09:59:01Z"} `
	require.Nil(t, h.reader.Open(Route{Kind: Single, Type: Page}, []byte(body)))
	require.Equal(t, "wk_1", string(h.reader.WriteKey()))
	single := h.reader.Map(browser, request(), nil)
	require.Equal(t, "page_viewed", h.envelope(t, single[0])["event_name"], "the route says the type")
	require.NotContains(t, string(single[0].Envelope), "wk_1")
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		require.Nil(t, h.reader.Open(Route{Kind: Pixel, Type: Page}, []byte(encoding.EncodeToString([]byte(body)))))
		require.Equal(t, "wk_1", string(h.reader.WriteKey()))
		require.Equal(t, single[0].Envelope, h.reader.Map(browser, request(), nil)[0].Envelope)
	}
	require.Nil(t, h.reader.Open(Route{Kind: Single, Type: Page}, []byte(`{"userId":"u","userId":"v","writeKey":"wk_1"}`)))
	require.Empty(t, h.reader.WriteKey(), "what cannot be read strictly names no key")
	require.Equal(t, event.CodeDuplicateName, h.reader.Map(browser, request(), nil)[0].Fault.Code)
}

func TestEnvelopesKeepTheScannersLimits(t *testing.T) {
	h := newHouse(t, Limits{})
	members := func(count int) string {
		var b strings.Builder
		for i := range count {
			b.WriteString(`,"k` + strconv.Itoa(i) + `":1`)
		}
		return b.String()[1:]
	}
	call := func(count int) Outcome {
		return h.one(t, server, `{"type":"page","userId":"u","name":"n","context":{"page":{"path":"/","title":"t"}},"properties":{`+members(count)+`}}`)
	}
	full := call(event.DefaultLimits.MaxKeys - len(lifted))
	require.Nil(t, full.Fault)
	h.check(t, &full)
	require.Equal(t, event.CodeTooManyKeys, call(event.DefaultLimits.MaxKeys-len(lifted)+1).Fault.Code)
}
