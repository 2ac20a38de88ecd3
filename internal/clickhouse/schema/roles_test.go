package schema_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/clickhouse/schema"
)

// The embedded engine has no access management, so it only parses what makes the role.
func TestAnalystsMayReadViewsAlone(t *testing.T) {
	client := open(t)
	want := describe(t, shipped, shipped+"/clickhouse")
	roles, err := schema.LoadRoles(os.DirFS(shipped + "/clickhouse"))
	require.NoError(t, err)
	require.Len(t, roles, 1)
	sql := roles[0].SQL("analytics", want.Views)
	for _, statement := range sql {
		assert.NotEmpty(t, texts(t, client, "SELECT formatQuery("+clickhouse.Literal(statement)+")"))
	}
	all := strings.Join(sql, "\n")
	for _, view := range []string{"events_unique", "data_status", "events_per_minute", "trial_started"} {
		assert.Contains(t, all, "GRANT SELECT ON `analytics`.`"+view+"` TO `analyst`")
	}
	for _, table := range []string{"events", "outcomes", "ebbgate_chunks", "ebbgate_migrations"} {
		assert.NotContains(t, all, "`"+table+"`")
	}
	assert.Contains(t, all, "CREATE QUOTA")
	assert.NotContains(t, strings.ToUpper(all), "IDENTIFIED")
}

func TestRolesAreLeftToWhoMayMakeThem(t *testing.T) {
	client := open(t)
	p := plan(t, client, describe(t, shipped, shipped+"/clickhouse"), false)
	assert.NotContains(t, actions(p), "create role analyst")
	require.Len(t, p.Notes, 1)
	assert.Contains(t, p.Notes[0], "role analyst is left out")
}

func TestViewsComeAfterThoseTheyRead(t *testing.T) {
	want := describe(t, shipped, shipped+"/clickhouse")
	at := map[string]int{}
	for i, v := range want.Views {
		at[v.Name] = i
	}
	assert.Less(t, at["events_unique"], at["data_status"])
	assert.Less(t, at["events_missing"], at["data_status"])
	assert.Less(t, at["events_missing"], at["consent_coverage"])
}
