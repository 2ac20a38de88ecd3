package consent

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
)

func sampleDecision() Decision {
	return Decision{
		EventID: "evt_1", EventName: "trial_started", Timestamp: "2026-04-13T09:00:00Z", Destination: "activation", Verdict: Denied,
		Reason: "consent.marketing=false", Rule: "policy.yaml:41", Policy: "2026-11-01", ConsentVersion: 8, Stage: "govern",
	}
}

func TestDecisionsReadBackAsWritten(t *testing.T) {
	reader, err := NewDecisionReader()
	require.NoError(t, err)
	everywhere, bare := sampleDecision(), sampleDecision()
	everywhere.Destination, everywhere.Stage, everywhere.Rule = "*", "validate", "contracts/classes.yaml:6"
	bare.EventName, bare.Timestamp, bare.Verdict, bare.Reason = "", "", Allowed, ""
	for _, want := range []Decision{sampleDecision(), everywhere, bare} {
		got, id, err := reader.Read(want.Append(nil))
		require.NoError(t, err)
		assert.Equal(t, want, got)
		assert.Equal(t, want.ID(), id)
	}
}

func TestNothingElsePassesForADecision(t *testing.T) {
	reader, err := NewDecisionReader()
	require.NoError(t, err)
	d := sampleDecision()
	text := string(d.Append(nil))
	for name, tc := range map[string]struct{ old, new, code, path string }{
		"a value in the reason":  {`consent.marketing=false`, `ada@example.com`, CodeDecisionField, "reason"},
		"a value in the rule":    {`policy.yaml:41`, `ada@example.com`, CodeDecisionField, "rule"},
		"a sentence as the name": {`trial_started`, `Ada Lovelace`, CodeDecisionField, "event_name"},
		"an unknown field":       {`{`, `{"email":"ada@example.com",`, CodeDecisionField, ""},
		"an object":              {`"govern"`, `{"a":1}`, CodeDecisionField, "stage"},
		"a missing field":        {`"rule":"policy.yaml:41",`, ``, CodeDecisionField, "rule"},
		"a denial without why":   {`consent.marketing=false`, ``, CodeDecisionField, "reason"},
		"a negative version":     {`:8,`, `:-8,`, CodeDecisionField, "consent_version"},
		"another stage":          {`govern`, `later`, CodeDecisionField, "stage"},
		"another destination":    {`activation`, `analytics`, CodeDecisionID, "decision_id"},
		"another consent":        {`:8,`, `:9,`, CodeDecisionID, "decision_id"},
		"a field twice":          {`"stage"`, `"verdict":"allowed","stage"`, event.CodeDuplicateName, "verdict"},
		"cut short":              {`"}`, ``, event.CodeSyntax, ""},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, text, tc.old)
			_, _, err := reader.Read([]byte(strings.Replace(text, tc.old, tc.new, 1)))
			fault, ok := event.AsFault(err)
			require.True(t, ok)
			assert.Equal(t, tc.code, fault.Code)
			if strings.HasPrefix(tc.code, "decision.") {
				assert.Equal(t, tc.path, fault.Path)
			}
			assert.NotContains(t, fault.Error(), "ada")
		})
	}
}
