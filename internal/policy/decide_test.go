package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
)

func TestDecide(t *testing.T) {
	h := newHarness(t, withRules())
	everything := func(change func(*consent.Verdict)) *consent.Verdict {
		v := h.verdict("analytics", "marketing")
		change(v)
		return v
	}
	other, err := consent.NewPurposes("analytics", "marketing", "sales")
	require.NoError(t, err)
	cases := map[string]struct {
		destination int
		body        string
		verdict     *consent.Verdict
		want        policy.Gate
	}{
		"held":               {0, `{"event_name":"left"}`, h.verdict("analytics"), policy.Gate{Allowed: true, Rule: "policy.yaml:3"}},
		"not held":           {1, `{"event_name":"signed_up"}`, h.verdict("analytics"), policy.Gate{Reason: "consent.marketing=missing", Rule: "policy.yaml:8"}},
		"no verdict":         {0, `{"event_name":"signed_up"}`, nil, policy.Gate{Reason: "consent.missing", Rule: "policy.yaml:4"}},
		"empty verdict":      {0, `{"event_name":"signed_up"}`, &consent.Verdict{Held: ^consent.Mask(0)}, policy.Gate{Reason: "consent.missing", Rule: "policy.yaml:4"}},
		"of another policy":  {0, `{"event_name":"signed_up"}`, &consent.Verdict{Purposes: other, Held: 7}, policy.Gate{Reason: "consent.missing", Rule: "policy.yaml:4"}},
		"erased":             {0, `{"event_name":"signed_up"}`, everything(func(v *consent.Verdict) { v.Erased = true }), policy.Gate{Reason: "erased", Rule: "policy.yaml:3"}},
		"suppressed, listed": {1, `{"event_name":"signed_up"}`, everything(func(v *consent.Verdict) { v.Suppressed = true }), policy.Gate{Reason: "suppressed", Rule: "policy.yaml:9"}},
		"suppressed, not":    {0, `{"event_name":"signed_up"}`, everything(func(v *consent.Verdict) { v.Suppressed = true }), policy.Gate{Allowed: true, Rule: "policy.yaml:3"}},
		"event not listed":   {1, `{"event_name":"left"}`, everything(func(*consent.Verdict) {}), policy.Gate{Reason: "event.unlisted", Rule: "policy.yaml:10"}},
		"no contract":        {0, `{"event_name":"unheard_of"}`, everything(func(*consent.Verdict) {}), policy.Gate{Reason: "event.unlisted", Rule: "policy.yaml:3"}},
		"no event name":      {0, `{}`, everything(func(*consent.Verdict) {}), policy.Gate{Reason: "event.unlisted", Rule: "policy.yaml:3"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, h.scanner.Scan([]byte(c.body), &h.index))
			assert.Equal(t, c.want, h.worker.Decide(c.destination, &h.index, c.verdict))
			var out policy.Projection
			got, err := h.worker.Project(c.destination, []byte("x"), &h.index, c.verdict, &out)
			_, explainErr := h.worker.Explain(c.destination, &h.index, c.verdict)
			if c.want.Allowed {
				assert.NoError(t, err)
				assert.NoError(t, explainErr)
				return
			}
			assert.Error(t, err)
			assert.Equal(t, err, explainErr)
			assert.Equal(t, "x", string(got))
		})
	}
}

func TestProjectRefusesAForeignIndex(t *testing.T) {
	h, other := newHarness(t, withRules()), newHarness(t, withRules())
	require.NoError(t, other.scanner.Scan([]byte(`{"event_name":"signed_up"}`), &other.index))
	var out policy.Projection
	_, err := h.worker.Project(0, nil, &other.index, h.verdict("analytics"), &out)
	assert.ErrorIs(t, err, policy.ErrForeign)
}

func TestExplain(t *testing.T) {
	h := newHarness(t, withRules("properties.plan: keep", "properties.email: tokenize", "properties.when: { truncate_time: day }", "properties.flag: drop",
		"properties.seats: { keep: true, requires: marketing }", "consent.marketing: keep"))
	body := `{"event_id":"e","event_name":"signed_up","properties":{"plan":"pro","email":"a@example.com","when":"never","flag":true,"seats":3,` +
		`"amount":1,"someone@example.com":1,"address":{"dog":1},"plan2":2},"consent":{"marketing":false,"sales":true},"someone":1}`
	require.NoError(t, h.scanner.Scan([]byte(body), &h.index))
	v := h.verdict("analytics")
	bit, _ := h.policy.Purposes().Bit("marketing")
	v.Withdrawn = bit
	got, err := h.worker.Explain(0, &h.index, v)
	require.NoError(t, err)
	unlisted := "no rule names the field"
	for i := range got {
		assert.Equal(t, got[i].Verdict == "dropped", got[i].At > 0, "%+v", got[i])
		got[i].At = 0
	}
	assert.Equal(t, []policy.FieldDecision{
		{Path: "event_id", Verdict: "kept", Cause: policy.CauseRule, Rule: "policy.yaml:6", Text: "keep"},
		{Path: "event_name", Verdict: "dropped", Cause: policy.CauseUnlisted, Reason: unlisted},
		{Path: "properties.plan", Verdict: "kept", Cause: policy.CauseRule, Rule: "policy.yaml:7", Text: "keep"},
		{Path: "properties.email", Verdict: "transformed", Cause: policy.CauseRule, Rule: "policy.yaml:8", Text: "tokenize"},
		{Path: "properties.when", Verdict: "failed", Cause: policy.CauseTransform, Reason: got[4].Reason, Rule: "policy.yaml:9", Text: "{truncate_time: day}"},
		{Path: "properties.flag", Verdict: "dropped", Cause: policy.CauseRule, Reason: "the rule drops it", Rule: "policy.yaml:10", Text: "drop"},
		{Path: "properties.seats", Verdict: "dropped", Cause: policy.CauseRequires, Reason: "requires marketing: consent.withdrawn.marketing", Rule: "policy.yaml:11", Text: "{keep: true, requires: marketing}"},
		{Path: "properties.amount", Verdict: "dropped", Cause: policy.CauseUnlisted, Reason: unlisted},
		{Path: "properties.?", Verdict: "dropped", Cause: policy.CauseUnlisted, Reason: unlisted},
		{Path: "properties.address", Verdict: "dropped", Cause: policy.CauseUnlisted, Reason: unlisted},
		{Path: "properties.?", Verdict: "dropped", Cause: policy.CauseUnlisted, Reason: unlisted},
		{Path: "consent.marketing", Verdict: "kept", Cause: policy.CauseRule, Rule: "policy.yaml:12", Text: "keep"},
		{Path: "consent.?", Verdict: "dropped", Cause: policy.CauseUnlisted, Reason: unlisted},
		{Path: "?", Verdict: "dropped", Cause: policy.CauseUnlisted, Reason: unlisted},
	}, got)
	assert.Contains(t, got[4].Reason, "mask.")
	assert.NotContains(t, got[4].Reason, "never")
}

func TestClaimKnowsItsSource(t *testing.T) {
	files := withRules()
	files["policy.yaml"].Data = append([]byte("sources: {github: {consent: lookup}, web: {consent: carried}}\n"), files["policy.yaml"].Data...)
	h := newHarness(t, files)
	reader, err := consent.NewReader(h.dict, h.policy.Purposes())
	require.NoError(t, err)
	for source, lookupOnly := range map[string]bool{"github": true, "web": false, "unlisted": false} {
		require.NoError(t, h.scanner.Scan([]byte(`{"consent":{"analytics":true},"context":{"source":"`+source+`"}}`), &h.index))
		claim, fault := h.policy.Claim(reader, &h.index)
		require.Nil(t, fault)
		assert.Equal(t, lookupOnly, claim.LookupOnly, source)
		v := consent.Judge(h.policy.Purposes(), claim, nil, time.Time{})
		bit, _ := h.policy.Purposes().Bit("analytics")
		assert.Equal(t, !lookupOnly, v.Holds(bit), source)
	}
}

func TestBindNeedsKeysAndPaths(t *testing.T) {
	h := newHarness(t, withRules("subject.user_id: tokenize"))
	_, err := h.policy.Bind(h.dict, nil)
	assert.EqualError(t, err, "binding destination out: policy.yaml:7: tokenize needs keys, make them with `ebbgate keys init`")
	empty, err := event.NewDictionary()
	require.NoError(t, err)
	_, err = h.policy.Bind(empty, testRing)
	assert.EqualError(t, err, "binding destination mail: policy.yaml:12: the dictionary does not know properties.email")
}

func TestBindBoundsTheRequirements(t *testing.T) {
	rules := make([]string, 257)
	left := "event: left\nversion: 1.0.0\nowner: data\nclass: product\nproperties:\n"
	for i := range rules {
		rules[i] = fmt.Sprintf("properties.f%d: { keep: true, requires: marketing }", i)
		left += fmt.Sprintf("  f%d: { type: string, classification: none }\n", i)
	}
	for _, count := range []int{256, 257} {
		files := withRules(rules[:count]...)
		files["contracts/left.yaml"].Data = []byte(left)
		set, err := contract.Load(files, "contracts")
		require.NoError(t, err)
		p, err := policy.Compile(files["policy.yaml"].Data, "policy.yaml", set)
		require.NoError(t, err)
		dict, err := event.NewDictionary(append(set.Paths(), "consent.marketing", "consent.analytics")...)
		require.NoError(t, err)
		_, err = p.Bind(dict, testRing)
		if count == 256 {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, "binding destination out: 257 fields require another purpose, 256 are possible")
	}
}

func TestPolicyDescribesItself(t *testing.T) {
	h := newHarness(t, withRules("properties.plan: { truncate: 3 } # shortened"))
	assert.Equal(t, []string{"analytics", "marketing"}, h.policy.Purposes().Names())
	assert.Len(t, h.policy.SHA256, 64)
	d, ok := h.policy.Destination("out")
	require.True(t, ok)
	assert.Equal(t, "topic", d.Kind)
	assert.Equal(t, "{truncate: 3}", d.Rules[1].Text)
	assert.Equal(t, "policy.yaml:7", d.Rules[1].Where())
	_, ok = h.policy.Destination("nowhere")
	assert.False(t, ok)
	i, ok := h.policy.Index("mail")
	assert.True(t, ok)
	assert.Equal(t, 1, i)
}
