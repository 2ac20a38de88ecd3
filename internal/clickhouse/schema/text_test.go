package schema_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/clickhouse/schema"
)

func TestPlanText(t *testing.T) {
	p := &schema.Plan{Database: "d", Notes: []string{"view x stays"}, Changes: []schema.Change{
		{Kind: "migration", Name: "001_a", Action: schema.Create, SQL: []string{"CREATE TABLE a\n(x UInt8)", "ALTER TABLE a"}},
		{Kind: "view", Name: "v", Action: schema.Replace, Diff: "- SELECT 1\n+ SELECT 2\n"},
		{Kind: "view", Name: "w", Action: schema.Blocked, Reason: "not ours"},
	}}
	assert.Equal(t, "+ create migration 001_a\n    CREATE TABLE a\n    (x UInt8);\n    ALTER TABLE a\n~ replace view v\n    - SELECT 1\n    + SELECT 2\n! blocked view w\n    not ours\nnote: view x stays\ndatabase d: 3 changes\n", p.Text())
	assert.Equal(t, "database d is as the workspace describes it\n", (&schema.Plan{Database: "d"}).Text())
}

func TestStatementsAreCutOutsideQuotes(t *testing.T) {
	migrations, _, err := schema.LoadFiles(fstest.MapFS{"001_a.sql": {Data: []byte(
		"-- it's; a comment\nSELECT 'a;b\\';', `c;d`; -- another; one\n;\nSELECT \"e;f\"\n-- last")}})
	require.NoError(t, err)
	assert.Equal(t, []string{"-- it's; a comment\nSELECT 'a;b\\';', `c;d`", "\nSELECT \"e;f\"\n-- last"}, migrations[0].Statements)
}
