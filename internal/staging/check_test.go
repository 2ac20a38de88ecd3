package staging_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/staging"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// TestTheShippedAreaIsHeldAgainstPolicyAndContracts also tells what is wrong with one that does not fit them.
func TestTheShippedAreaIsHeldAgainstPolicyAndContracts(t *testing.T) {
	ws, err := workspace.Load("../../pipelines")
	require.NoError(t, err)
	src, err := os.ReadFile("../../pipelines/staging.yaml")
	require.NoError(t, err)
	check := func(old, changed string) error {
		require.Contains(t, string(src), old)
		area, err := staging.Parse([]byte(strings.Replace(string(src), old, changed, 1)), staging.File)
		require.NoError(t, err)
		return area.Check(ws.Contracts, ws.Policy)
	}
	require.NoError(t, check("", ""))
	for name, tc := range map[string]struct{ old, changed, want string }{
		"no such destination":    {"destination: warehouse", "destination: lake", "the policy has no destination `lake`"},
		"other kind":             {"destination: warehouse", "destination: analytics", "the policy says kind: clickhouse"},
		"no such event":          {"events: [campaign_touched, ", "events: [campaign_touched, form_sent, ", "no contract for `form_sent`"},
		"event not let through":  {"events: [campaign_touched, ", "events: [campaign_touched, page_viewed, ", "the policy lets no page_viewed go to warehouse"},
		"column not let through": {"path: properties.channel", "path: properties.email", "the policy lets no properties.email go to warehouse: list it there, or remove it here"},
		"key not let through":    {"key: [subject.account_id", "key: [properties.phone", "the policy lets no properties.phone go to warehouse"},
		"other type":             {"seats: { path: properties.seats, type: bigint }", "seats: { path: properties.seats, type: boolean }", "the contract of subscription_started says integer, which is no boolean: use bigint"},
		"kept too long":          {"retention: 180d", "retention: forever", "longer than the policy lets warehouse keep anything, 180d"},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, check(tc.old, tc.changed), tc.want)
		})
	}
}
