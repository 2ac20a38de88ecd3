package docs

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The pages' SQL runs on weeks of generated events that came through the shipped pipelines.
func TestQueriesOfTheDocs(t *testing.T) {
	var all []block
	for _, page := range pages(t) {
		all = append(all, queries(t, page)...)
	}
	require.NotEmpty(t, all)
	recipes := byHeading(t)
	w := newWarehouse(t)
	t.Run("every query finds rows", func(t *testing.T) { findRows(t, w, all) })
	t.Run("the cookbook gives the numbers of the ledger", func(t *testing.T) { giveTheLedger(t, w, recipes) })
}

func queries(t *testing.T, page string) (found []block) {
	t.Helper()
	for _, b := range blocks(t, page) {
		if b.lang == "sql" {
			found = append(found, b)
		}
	}
	return found
}

func findRows(t *testing.T, w *warehouse, all []block) {
	for _, b := range all {
		for _, statement := range strings.Split(b.text, ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			rows, err := w.ask(t, "PrettyCompactNoEscapes", statement)
			require.NoError(t, err, "%s: %s", b.at(), rows)
			assert.NotEmpty(t, strings.TrimSpace(rows), "%s finds no rows", b.at())
			if testing.Verbose() {
				t.Logf("%s\n%s", b.at(), rows)
			}
		}
	}
}

// Analysts have views and no tables, so the cookbook reads views alone.
func TestCookbookReadsViewsAlone(t *testing.T) {
	tables := regexp.MustCompile(`(?:FROM|JOIN) (?:events|outcomes|ebbgate_\w+)\b`)
	for _, b := range queries(t, cookbook) {
		assert.NotRegexp(t, tables, b.text, b.at())
	}
}
