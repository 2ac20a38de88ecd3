package segment

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestARetryGetsTheSameIDAndDigest(t *testing.T) {
	h := newHouse(t, Limits{})
	call := func(messageID, rest string) Outcome {
		return h.one(t, server, `{"type":"track","event":"x","userId":"u"`+messageID+rest+`}`)
	}
	require.Equal(t, "m-1", string(call(`,"messageId":"m-1"`, ``).EventID))

	first := call("", `,"properties":{"a":1,"b":2}`)
	require.Regexp(t, `^evt_[0-9a-v]{26}$`, string(first.EventID))
	again := call("", `,"properties":{"a":1,"b":2},"sentAt":"2026-04-13T09:59:10Z","_metadata":{"retryCount":1},"writeKey":"k","receivedAt":"2026-04-13T09:59:10Z"`)
	require.Equal(t, first.EventID, again.EventID)
	require.Equal(t, first.Digest, again.Digest)
	require.Equal(t, first.EventID, call("", `,"properties":{"b": 2,"a":1}`).EventID, "order and space are not content")
	other := call("", `,"properties":{"a":1,"b":3}`)
	require.NotEqual(t, first.EventID, other.EventID)
	require.NotEqual(t, first.Digest, other.Digest)

	odd := call(`,"messageId":"ada@example.com (1)"`, ``)
	require.Regexp(t, `^evt_`, string(odd.EventID))
	require.Equal(t, odd.EventID, call(`,"messageId":"ada@example.com (1)"`, `,"sentAt":"x"`).EventID)
	require.Regexp(t, `^evt_`, string(call(`,"messageId":""`, ``).EventID))
	require.Equal(t, "17", string(call(`,"messageId":17`, ``).EventID))
	require.Equal(t, CodeIDType, call(`,"messageId":[]`, ``).Fault.Code)
}

func TestWhoAnEventIsAbout(t *testing.T) {
	h := newHouse(t, Limits{})
	subject := func(members string) any {
		return h.envelope(t, h.one(t, server, `{"type":"page"`+members+`}`))["subject"]
	}
	require.Equal(t, map[string]any{"user_id": "7", "anonymous_id": "a"}, subject(`,"userId":7,"anonymousId":"a"`))
	require.Equal(t, map[string]any{"anonymous_id": "a", "account_id": "g"}, subject(`,"userId":null,"anonymousId":"a","context":{"groupId":"g"}`))
	require.Equal(t, map[string]any{"anonymous_id": "a", "account_id": "own"}, subject(`,"userId":"","anonymousId":"a","groupId":"own","context":{"groupId":"g"}`))
	require.Equal(t, map[string]any{"anonymous_id": "a"}, subject(`,"anonymousId":"a","context":{"groupId":["g"]}`))
	require.Equal(t, map[string]any{"user_id": strings.Repeat(`"`, 256)}, subject(`,"userId":"`+strings.Repeat(`\"`, 256)+`"`))
	require.Equal(t, CodeIDTooLong, h.one(t, server, `{"type":"page","userId":"`+strings.Repeat(`\"`, 257)+`"}`).Fault.Code)
}

func TestClockSkewIsTakenOff(t *testing.T) {
	h := newHouse(t, Limits{})
	when := func(around, members string) any {
		return h.envelope(t, h.batch(t, server, `{"batch":[{"type":"page","userId":"u"`+members+`}]`+around+`}`)[0])["timestamp"]
	}
	require.Equal(t, "2026-04-13T10:00:00.004Z", when("", ""), "neither is said")
	require.Equal(t, "2026-04-01T08:00:00.000Z", when("", `,"timestamp":"2026-04-01T10:00:00+02:00"`), "not sent")
	require.Equal(t, "2026-04-13T09:59:55.004Z", when("", `,"timestamp":"2019-01-01T00:00:00Z","sentAt":"2019-01-01T00:00:05Z"`))
	require.Equal(t, "2026-04-13T09:59:55.004Z", when(`,"sentAt":"2019-01-01T00:00:05Z"`, `,"timestamp":"2019-01-01T00:00:00Z"`), "sentAt of the batch")
	require.Equal(t, "2026-04-13T09:59:57.004Z", when(`,"sentAt":"2019-01-01T00:00:05Z"`, `,"timestamp":"2019-01-01T00:00:00Z","sentAt":"2019-01-01T00:00:03Z"`))
	require.Equal(t, "2026-04-13T09:59:58.004Z", when("", `,"timestamp":"2020-02-02T00:00:00Z","originalTimestamp":"2019-01-01T00:00:00Z","sentAt":"2019-01-01T00:00:02Z"`), "RudderStack")
	require.Equal(t, "2026-04-13T10:00:00.004Z", when(`,"sentAt":"2019-01-01T00:00:05Z"`, ""))
	require.Equal(t, "2026-04-01T10:00:00.000Z", when("", `,"timestamp":"2026-04-01T10:00:00Z","sentAt":"soon"`), "an unreadable sentAt corrects nothing")
}
