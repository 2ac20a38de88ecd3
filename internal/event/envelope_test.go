package event_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/event"
)

const goodEnvelope = `{"event_name":"trial_started","event_id":"e1","timestamp":"2026-04-13T09:59:58.120Z",` +
	`"subject":{"user_id":"u_1"},"context":{"source":"web_app"},"properties":{}}`

func TestCheckEnvelope(t *testing.T) {
	now := time.Date(2026, 4, 13, 10, 0, 0, 0, time.UTC)
	replace := func(old, with string) string {
		require.Contains(t, goodEnvelope, old)
		return strings.Replace(goodEnvelope, old, with, 1)
	}
	at := func(when time.Time) string { return replace("2026-04-13T09:59:58.120Z", when.Format(time.RFC3339Nano)) }
	for raw, want := range map[string]string{
		goodEnvelope:   "",
		marketingEvent: "",
		replace(`"user_id":"u_1"`, `"anonymous_id":"x"`):                       "",
		replace(`"user_id":"u_1"`, `"user_id":null,"account_id":"x"`):          "",
		replace(`"event_id":"e1",`, ``):                                        "",
		replace(`"event_id":"e1"`, `"event_id":null`):                          "",
		replace(`"event_id":"e1"`, `"received_at":null,"consent":null`):        "",
		replace(`2026-04-13T09`, `\u0032026-04-13T09`):                         "",
		replace(`"event_name":"trial_started",`, ``):                           "envelope.event_name at event_name",
		replace(`"trial_started"`, `""`):                                       "envelope.event_name at event_name",
		replace(`"trial_started"`, `7`):                                        "envelope.event_name at event_name",
		replace(`trial_started`, strings.Repeat("x", 129)):                     "envelope.event_name at event_name",
		replace(`"timestamp":"2026-04-13T09:59:58.120Z",`, ``):                 "envelope.timestamp at timestamp",
		replace(`"2026-04-13T09:59:58.120Z"`, `null`):                          "envelope.timestamp at timestamp",
		replace(`"2026-04-13T09:59:58.120Z"`, `1776074398`):                    "envelope.timestamp at timestamp",
		replace(`2026-04-13T09:59:58.120Z`, `2026-04-13`):                      "envelope.timestamp at timestamp",
		at(now.Add(24 * time.Hour)):                                            "",
		at(now.Add(24*time.Hour + time.Second)):                                "envelope.future at timestamp",
		at(now.Add(-400 * 24 * time.Hour)):                                     "",
		at(now.Add(-400*24*time.Hour - time.Second)):                           "envelope.ancient at timestamp",
		replace(`"subject":{"user_id":"u_1"},`, ``):                            "envelope.subject at subject",
		replace(`{"user_id":"u_1"}`, `{}`):                                     "envelope.subject at subject",
		replace(`{"user_id":"u_1"}`, `null`):                                   "envelope.subject at subject",
		replace(`"u_1"`, `""`):                                                 "envelope.subject at subject",
		replace(`"u_1"`, `"`+strings.Repeat("x", 513)+`"`):                     "envelope.subject at subject",
		replace(`"u_1"`, `5`):                                                  "envelope.type at subject.user_id",
		replace(`"user_id":"u_1"`, `"user_id":"u","account_id":["a"]`):         "envelope.type at subject.account_id",
		replace(`{"user_id":"u_1"}`, `"u_1"`):                                  "envelope.type at subject",
		replace(`{"source":"web_app"}`, `{}`):                                  "envelope.source at context.source",
		replace(`"web_app"`, `""`):                                             "envelope.source at context.source",
		replace(`"web_app"`, `false`):                                          "envelope.source at context.source",
		replace(`"context":{"source":"web_app"},`, ``):                         "envelope.source at context.source",
		replace(`{"source":"web_app"}`, `["web_app"]`):                         "envelope.type at context",
		replace(`"source":"web_app"`, `"source":"w","ip":1`):                   "envelope.type at context.ip",
		replace(`"source":"web_app"`, `"source":"w","schema_version":1.4`):     "envelope.type at context.schema_version",
		replace(`"properties":{}`, `"properties":[]`):                          "envelope.type at properties",
		replace(`"properties":{}`, `"consent":true`):                           "envelope.type at consent",
		replace(`"properties":{}`, `"consent":{"checked_at":"yesterday"}`):     "envelope.type at consent.checked_at",
		replace(`"properties":{}`, `"consent":{"version":7}`):                  "envelope.type at consent.version",
		replace(`"event_id":"e1"`, `"event_id":17`):                            "envelope.type at event_id",
		replace(`"event_id":"e1"`, `"received_at":"2026-04-13T10:00:00+0200"`): "envelope.type at received_at",
	} {
		fault := event.CheckEnvelope(scan(t, raw), now, event.TimeLimits{})
		got := ""
		if fault != nil {
			got = fault.Code + " at " + fault.Path
			require.NotEmpty(t, fault.Remedy)
		}
		require.Equal(t, want, got, raw)
	}
}

func TestTimeLimitsCanBeSet(t *testing.T) {
	now := time.Date(2026, 4, 13, 10, 0, 0, 0, time.UTC)
	ix := scan(t, goodEnvelope)
	require.Nil(t, event.CheckEnvelope(ix, now, event.TimeLimits{Past: time.Minute}))
	require.Equal(t, event.CodeEnvelopeAncient, event.CheckEnvelope(ix, now.Add(time.Hour), event.TimeLimits{Past: time.Minute}).Code)
	require.Equal(t, event.CodeEnvelopeFuture, event.CheckEnvelope(ix, now.Add(-time.Hour), event.TimeLimits{Future: time.Minute}).Code)
}

func TestDerivedIDsAreStable(t *testing.T) {
	require.Equal(t, "evt_", event.DeriveID("stripe", "evt_1")[:4])
	require.Regexp(t, "^evt_[0-9a-v]{26}$", event.DeriveID("stripe", "evt_1"))
	require.Equal(t, event.DeriveID("stripe", "1"), event.DeriveID("stripe", "1"))
	seen := map[string]bool{}
	for _, pair := range [][2]string{
		{"a", "bc"},
		{"ab", "c"},
		{"", "abc"},
		{"abc", ""},
		{"a", "b"},
		{"", ""},
		{"a\x00\x00\x00\x00b", "c"},
		{"a", "b\x00\x00\x00\x00c"},
		{"a\x00\x00\x00\x01b", "c"},
		{"a", "b\x00\x00\x00\x01c"},
	} {
		seen[event.DeriveID(pair[0], pair[1])] = true
	}
	require.Len(t, seen, 10, "the source and the id are kept apart")
}

func TestIDsFromBodies(t *testing.T) {
	id := func(raw string) string { return event.DeriveIDFromBody("web", scan(t, raw)) }
	base := id(`{"a":1,"b":{"c":"é","d":[1,{"x":1,"y":2}]}}`)
	for _, same := range []string{
		`{"b":{"d":[1,{"y":2,"x":1}],"c":"\u00e9"},"a":1}`,
		`{ "a" : 1, "b" : {"\u0063":"é","d":[1, {"x":1,"y":2}]} }`,
		`{"a":1,"event_id":"evt_9","b":{"c":"é","d":[1,{"x":1,"y":2}]},"received_at":"2026-04-13T10:00:00Z"}`,
	} {
		require.Equal(t, base, id(same), same)
	}
	for _, other := range []string{
		`{"a":2,"b":{"c":"é","d":[1,{"x":1,"y":2}]}}`,
		`{"a":1,"b":{"c":"é","d":[{"x":1,"y":2},1]}}`,
		`{"a":"1","b":{"c":"é","d":[1,{"x":1,"y":2}]}}`,
		`{"a":1,"b":{"c":"é","d":[1,{"x":1,"y":2}],"received_at":"x"}}`,
	} {
		require.NotEqual(t, base, id(other), other)
	}
	plain := `{"a":1,"subject":{"user_id":"u"}}`
	more := scan(t, `{"a":1,"subject":{"user_id":"u"},"timestamp":"2026-04-13T10:00:00Z"}`)
	require.Equal(t, id(plain), event.DeriveIDFromBody("web", more, event.Timestamp))
	require.NotEqual(t, id(plain), event.DeriveIDFromBody("web", more))
	require.NotEqual(t, base, event.DeriveIDFromBody("app", scan(t, `{"a":1,"b":{"c":"é","d":[1,{"x":1,"y":2}]}}`)))
}

// The id of a body is its meaning: it survives the canonical form and any order of members.
func TestIDsFromRandomBodies(t *testing.T) {
	dict, err := event.NewDictionary()
	require.NoError(t, err)
	scanner := event.NewScanner(dict, event.Limits{})
	rapid.Check(t, func(t *rapid.T) {
		var ix, canonical event.Index
		if scanner.Scan([]byte(drawContainer(t, "", 0, true).spaced), &ix) != nil {
			return
		}
		require.NoError(t, event.NewScanner(dict, event.Limits{}).Scan(event.AppendValue(nil, ix.Root()), &canonical))
		require.Equal(t, event.DeriveIDFromBody("web", &ix), event.DeriveIDFromBody("web", &canonical))
	})
}
