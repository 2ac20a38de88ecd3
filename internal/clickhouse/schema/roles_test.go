package schema_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/clickhouse/schema"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// The embedded engine has no access management, so it only parses what makes the role.
func TestAnalystsMayReadViewsAlone(t *testing.T) {
	client := open(t)
	want := describe(t, shipped, shipped+"/clickhouse")
	roles, err := schema.LoadRoles(os.DirFS(shipped + "/clickhouse"))
	require.NoError(t, err)
	require.Len(t, roles, 2)
	require.Equal(t, "analyst", roles[0].Name)
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
	for _, audit := range []string{"decisions", "denials_by_day", "decisions_of"} {
		assert.NotContains(t, all, "`"+audit+"`", "analysts may not see who was denied")
	}

	auditor := strings.Join(roles[1].SQL("analytics", want.Views), "\n")
	assert.Equal(t, 3, strings.Count(auditor, "GRANT SELECT"), "auditors may not see events")
	for _, audit := range []string{"decisions", "denials_by_day", "decisions_of"} {
		assert.Contains(t, auditor, "GRANT SELECT ON `analytics`.`"+audit+"` TO `auditor`")
	}
}

func TestAViewForNobodyIsRefused(t *testing.T) {
	ws, err := workspace.Load(shipped)
	require.NoError(t, err)
	destination, _ := ws.Policy.Destination("analytics")
	files := fstest.MapFS{
		"001_events.sql":         {Data: []byte("CREATE TABLE events (a String) ENGINE = Memory")},
		"views/owner/secret.sql": {Data: []byte("SELECT 1")},
	}
	_, err = schema.Describe(files, ws.Contracts, destination)
	require.ErrorContains(t, err, "add roles/owner.sql")
}

func TestRolesAreLeftToWhoMayMakeThem(t *testing.T) {
	client := open(t)
	p := plan(t, client, describe(t, shipped, shipped+"/clickhouse"), false)
	assert.NotContains(t, actions(p), "create role analyst")
	require.Len(t, p.Notes, 2)
	assert.Contains(t, p.Notes[0], "role analyst is left out")
	assert.Contains(t, p.Notes[1], "role auditor is left out")
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
