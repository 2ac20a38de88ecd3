package consent_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
)

const goodRecord = `{"version":8,"purposes":{"marketing":false,"analytics":true},"source":"consent_service",` +
	`"changed_at":"2026-04-13T10:00:00Z","proof":"banner-2026-03"}`

func TestParseRecord(t *testing.T) {
	r := consent.ParseRecord([]byte(goodRecord))
	assert.Equal(t, &consent.Record{
		Version: 8, Purposes: map[string]bool{"marketing": false, "analytics": true}, Source: "consent_service",
		ChangedAt: time.Date(2026, 4, 13, 10, 0, 0, 0, time.UTC), Proof: "banner-2026-03",
	}, r)
	assert.Equal(t, r, consent.ParseRecord(r.Append(nil)))
	assert.False(t, consent.ParseRecord([]byte(`{"version":0,"purposes":{},"note":{"any":1}}`)).Unreadable)
}

// TestUnreadableRecordsDeny: whatever is wrong with a record, it must not read as consent.
func TestUnreadableRecordsDeny(t *testing.T) {
	cases := map[string]string{
		"nothing":                     ``,
		"null":                        `null`,
		"no object":                   `[true]`,
		"no json":                     `{"version":8,`,
		"trailing data":               goodRecord + goodRecord,
		"no version":                  `{"purposes":{"analytics":true}}`,
		"version is text":             `{"version":"8","purposes":{"analytics":true}}`,
		"version is negative":         `{"version":-1,"purposes":{"analytics":true}}`,
		"version is a fraction":       `{"version":8.0,"purposes":{"analytics":true}}`,
		"no purposes":                 `{"version":8}`,
		"purposes is null":            `{"version":8,"purposes":null}`,
		"purposes is a list":          `{"version":8,"purposes":["analytics"]}`,
		"purpose is text":             `{"version":8,"purposes":{"analytics":"true"}}`,
		"purpose is a number":         `{"version":8,"purposes":{"analytics":1}}`,
		"purpose is null":             `{"version":8,"purposes":{"analytics":null}}`,
		"purpose twice":               `{"version":8,"purposes":{"analytics":false,"analytics":true}}`,
		"purpose twice, escaped":      `{"version":8,"purposes":{"analytics":false,"\u0061nalytics":true}}`,
		"purposes twice":              `{"version":8,"purposes":{"analytics":false},"purposes":{"analytics":true}}`,
		"purposes again in capitals":  `{"version":8,"purposes":{"analytics":true},"Purposes":{"analytics":false}}`,
		"version again in capitals":   `{"version":8,"VERSION":9,"purposes":{"analytics":true}}`,
		"source is no text":           `{"version":8,"purposes":{"analytics":true},"source":1}`,
		"time without zone":           `{"version":8,"purposes":{"analytics":true},"changed_at":"2026-04-13T10:00:00"}`,
		"time is a number":            `{"version":8,"purposes":{"analytics":true},"changed_at":1}`,
		"proof is no text":            `{"version":8,"purposes":{"analytics":true},"proof":[]}`,
		"invalid UTF-8 in the source": "{\"version\":8,\"purposes\":{\"analytics\":true},\"source\":\"\xff\"}",
	}
	p := purposes(t, "analytics")
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			r := consent.ParseRecord([]byte(text))
			require.NotNil(t, r)
			require.True(t, r.Unreadable)
			v := consent.Judge(p, consent.Claim{Present: true, Stated: 1, Given: 1}, []consent.State{{Consent: r}}, time.Time{})
			assert.Zero(t, v.Held)
			assert.Equal(t, consent.ReasonUnreadable, v.Reason(1))
			assert.Equal(t, "null", string(r.Append(nil)))
		})
	}
}

func TestParseSuppression(t *testing.T) {
	s := consent.ParseSuppression([]byte(`{"version":2,"channels":["email"],"reason":"hard_bounce","source":"sendgrid","changed_at":"2026-04-13T10:00:00Z"}`))
	assert.Equal(t, &consent.Suppression{
		Version: 2, Channels: []string{"email"}, Reason: "hard_bounce", Source: "sendgrid", ChangedAt: time.Date(2026, 4, 13, 10, 0, 0, 0, time.UTC),
	}, s)
	assert.Equal(t, s, consent.ParseSuppression(s.Append(nil)))
	lifted := consent.ParseSuppression([]byte(`{"version":3,"lifted":true}`))
	assert.True(t, lifted.Lifted)
	assert.Equal(t, lifted, consent.ParseSuppression(lifted.Append(nil)))
	for _, text := range []string{``, `null`, `{}`, `{"version":3,"lifted":"true"}`, `{"version":3,"lifted":true,"Lifted":false}`, `{"version":3,"channels":"email","lifted":true}`, `{"version":3,"channels":[1],"lifted":true}`} {
		s := consent.ParseSuppression([]byte(text))
		assert.True(t, s.Unreadable && !s.Lifted, text)
		v := consent.Judge(purposes(t, "marketing"), consent.Claim{}, []consent.State{{Suppressed: s}}, time.Time{})
		assert.True(t, v.Suppressed, text)
		assert.Equal(t, "null", string(s.Append(nil)))
	}
}

func TestParseErasure(t *testing.T) {
	e := consent.ParseErasure([]byte(`{"epoch":17,"request_id":"req_9","requested_at":"2026-04-13T10:00:00Z","state":"fenced"}`))
	assert.Equal(t, &consent.Erasure{Epoch: 17, RequestID: "req_9", RequestedAt: time.Date(2026, 4, 13, 10, 0, 0, 0, time.UTC), State: "fenced"}, e)
	assert.Equal(t, e, consent.ParseErasure(e.Append(nil)))
	for _, text := range []string{``, `null`, `{}`, `{"epoch":17}`, `{"epoch":17,"state":"undone"}`, `{"epoch":"17","state":"fenced"}`} {
		e := consent.ParseErasure([]byte(text))
		assert.True(t, e.Unreadable, text)
		v := consent.Judge(purposes(t, "marketing"), consent.Claim{Present: true, Stated: 1, Given: 1}, []consent.State{{Erased: e}}, time.Time{})
		assert.True(t, v.Erased, text)
		assert.Zero(t, v.Held, text)
		assert.Equal(t, "null", string(e.Append(nil)))
	}
}

func reader(t testing.TB) (*consent.Reader, *event.Dictionary, *consent.Purposes) {
	t.Helper()
	p := purposes(t, "analytics", "marketing")
	dict, err := event.NewDictionary("consent.analytics", "consent.marketing")
	require.NoError(t, err)
	r, err := consent.NewReader(dict, p)
	require.NoError(t, err)
	return r, dict, p
}

func scan(t testing.TB, dict *event.Dictionary, text string) *event.Index {
	t.Helper()
	ix := &event.Index{}
	require.NoError(t, event.NewScanner(dict, event.DefaultLimits).Scan([]byte(text), ix))
	return ix
}

func TestReadClaim(t *testing.T) {
	r, dict, _ := reader(t)
	cases := map[string]struct {
		event string
		want  consent.Claim
		fault string
	}{
		"none":               {`{}`, consent.Claim{}, ""},
		"null":               {`{"consent":null}`, consent.Claim{}, ""},
		"empty":              {`{"consent":{}}`, consent.Claim{Present: true}, ""},
		"both":               {`{"consent":{"marketing":true,"analytics":false}}`, consent.Claim{Present: true, Stated: 3, Given: 2}, ""},
		"escaped name":       {`{"consent":{"\u006darketing":true}}`, consent.Claim{Present: true, Stated: 2, Given: 2}, ""},
		"other purpose":      {`{"consent":{"sales":true}}`, consent.Claim{Present: true}, ""},
		"version text":       {`{"consent":{"version":"7","source":"x","checked_at":"2026-04-13T10:00:00Z"}}`, consent.Claim{Present: true, Version: 7}, ""},
		"version number":     {`{"consent":{"version":7}}`, consent.Claim{Present: true, Version: 7}, ""},
		"version words":      {`{"consent":{"version":"v7"}}`, consent.Claim{Present: true}, ""},
		"version negative":   {`{"consent":{"version":-7}}`, consent.Claim{Present: true}, ""},
		"version too large":  {`{"consent":{"version":"99999999999999999999"}}`, consent.Claim{Present: true}, ""},
		"a list":             {`{"consent":[]}`, consent.Claim{}, "consent"},
		"true":               {`{"consent":true}`, consent.Claim{}, "consent"},
		"text for a purpose": {`{"consent":{"marketing":"true"}}`, consent.Claim{}, "consent.marketing"},
		"1 for a purpose":    {`{"consent":{"analytics":1}}`, consent.Claim{}, "consent.analytics"},
		"null for a purpose": {`{"consent":{"analytics":null}}`, consent.Claim{}, "consent.analytics"},
		"unknown, no bool":   {`{"consent":{"sales":{"x":"someone@example.com"}}}`, consent.Claim{}, "consent.?"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			claim, fault := r.Read(scan(t, dict, c.event))
			assert.Equal(t, c.want, claim)
			if c.fault == "" {
				assert.Nil(t, fault)
				return
			}
			require.NotNil(t, fault)
			assert.Equal(t, consent.CodeType, fault.Code)
			assert.Equal(t, c.fault, fault.Path)
			assert.NotContains(t, fault.Error(), "someone")
		})
	}
}

func TestReadClaimOfForeignEvent(t *testing.T) {
	r, _, p := reader(t)
	other, err := event.NewDictionary("consent.analytics")
	require.NoError(t, err)
	_, fault := r.Read(scan(t, other, `{"consent":{"analytics":true}}`))
	require.NotNil(t, fault)
	_, err = consent.NewReader(other, p)
	assert.EqualError(t, err, "reading claims: the dictionary does not know consent.marketing")
}

func TestReadClaimDoesNotAllocate(t *testing.T) {
	r, dict, _ := reader(t)
	ix := scan(t, dict, `{"consent":{"marketing":true,"analytics":true,"source":"consent_service","checked_at":"2026-04-13T10:00:00Z","version":"7"}}`)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = r.Read(ix) }))
}

func TestDecision(t *testing.T) {
	d := consent.Decision{
		EventID: "evt_1", Destination: "activation", Verdict: consent.Denied, Reason: "consent.marketing=false", Rule: "policy.yaml:41",
		Policy: "2026-11-01", ConsentVersion: 8, Stage: "govern",
	}
	var got map[string]any
	require.NoError(t, json.Unmarshal(d.Append(nil), &got))
	assert.Equal(t, map[string]any{
		"decision_id": d.ID(), "event_id": "evt_1", "destination": "activation", "verdict": "denied", "reason": "consent.marketing=false",
		"rule": "policy.yaml:41", "policy": "2026-11-01", "consent_version": 8.0, "stage": "govern",
	}, got)
	assert.True(t, strings.HasPrefix(d.ID(), "dec_"))
	assert.Len(t, d.ID(), 30)

	same := d
	same.Reason, same.Rule = "", ""
	assert.Equal(t, d.ID(), same.ID(), "a reworded reason is no other decision")
	for name, change := range map[string]func(*consent.Decision){
		"event":       func(d *consent.Decision) { d.EventID = "evt_2" },
		"destination": func(d *consent.Decision) { d.Destination = "analytics" },
		"verdict":     func(d *consent.Decision) { d.Verdict = consent.Allowed },
		"policy":      func(d *consent.Decision) { d.Policy = "2026-11-02" },
		"version":     func(d *consent.Decision) { d.ConsentVersion = 9 },
		"stage":       func(d *consent.Decision) { d.Stage = "export" },
		"boundary":    func(d *consent.Decision) { d.EventID, d.Destination = "evt_1a", "ctivation" },
	} {
		other := d
		change(&other)
		assert.NotEqual(t, d.ID(), other.ID(), name)
	}
	dst := make([]byte, 0, 1024)
	assert.Zero(t, testing.AllocsPerRun(100, func() { dst = d.Append(dst[:0]) }))
}

func FuzzParseRecords(f *testing.F) {
	f.Add([]byte(goodRecord))
	f.Add([]byte(`{"version":2,"channels":["email"],"lifted":true}`))
	f.Add([]byte(`{"epoch":17,"state":"fenced"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r := consent.ParseRecord(text); !r.Unreadable {
			again := consent.ParseRecord(r.Append(nil))
			require.False(t, again.Unreadable, "%s", r.Append(nil))
			require.Equal(t, r.Purposes, again.Purposes)
			require.Equal(t, r.Version, again.Version)
		}
		if s := consent.ParseSuppression(text); !s.Unreadable {
			require.Equal(t, s.Lifted, consent.ParseSuppression(s.Append(nil)).Lifted)
		}
		consent.ParseErasure(text)
	})
}

func TestADecisionTellsTheTimeAndNoOtherText(t *testing.T) {
	d := consent.Decision{EventID: "evt_1", Destination: "analytics", Verdict: "denied", Stage: "govern", Timestamp: "2026-04-13T09:59:58.120Z"}
	assert.Contains(t, string(d.Append(nil)), `"timestamp":"2026-04-13T09:59:58.120Z"`)
	d.Timestamp = "jane@example.com"
	assert.NotContains(t, string(d.Append(nil)), "jane")
}
