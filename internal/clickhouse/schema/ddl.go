package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
)

// rollupForm is a rollup's file below its comment: what stands before the SELECT is its Refresh.
var rollupForm = regexp.MustCompile(`(?s)^(REFRESH .*?ENGINE .*?)\s+AS\s+((?:SELECT|WITH)\b.*)$`)

func rollup(name, comment, text string) (View, error) {
	parts := rollupForm.FindStringSubmatch(text)
	if parts == nil {
		return View{}, fmt.Errorf("reading the ClickHouse schema: rollups/%s.sql: write REFRESH, the schedule, ENGINE, AS and a SELECT, in this order", name)
	}
	return View{Name: name, Comment: comment, Refresh: parts[1], Select: parts[2]}, nil
}

// SQL is the statement that makes the view. It reads with the rights of who made it, so that a role may have the view and
// not the tables.
func (v *View) SQL() string {
	var b strings.Builder
	if v.Refresh == "" {
		b.WriteString("CREATE OR REPLACE VIEW " + clickhouse.Quote(v.Name))
	} else {
		b.WriteString("CREATE OR REPLACE MATERIALIZED VIEW " + clickhouse.Quote(v.Name) + "\n" + v.Refresh)
	}
	for i, c := range v.Columns {
		if i == 0 {
			b.WriteString("\n(\n")
		}
		fmt.Fprintf(&b, "    %s %s COMMENT %s", clickhouse.Quote(c.Name), c.Type, clickhouse.Literal(c.Comment))
		if i < len(v.Columns)-1 {
			b.WriteString(",\n")
		} else {
			b.WriteString("\n)")
		}
	}
	b.WriteString("\nDEFINER = CURRENT_USER SQL SECURITY DEFINER AS\n" + v.Select)
	if v.Comment != "" {
		b.WriteString("\nCOMMENT " + clickhouse.Literal(v.Comment))
	}
	return b.String()
}

// engine is what the database calls such a view.
func (v *View) engine() string {
	if v.Refresh == "" {
		return "View"
	}
	return "MaterializedView"
}

// isView tells the engines of views from those of tables.
func isView(engine string) bool { return engine == "View" || engine == "MaterializedView" }

// reads tells whether the view's query names another.
func (v *View) reads(name string) bool {
	return name != v.Name && regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(v.Select)
}

// inOrder puts each view after those it reads, and leaves the order otherwise. Views that read each other in a circle stay
// at the end; the server says what is wrong with them.
func inOrder(views []View) []View {
	var done, rest []View
	for rest = slices.Clone(views); len(rest) > 0; {
		i := slices.IndexFunc(rest, func(v View) bool {
			return !slices.ContainsFunc(rest, func(other View) bool { return v.reads(other.Name) })
		})
		if i < 0 {
			break
		}
		done, rest = append(done, rest[i]), slices.Delete(rest, i, i+1)
	}
	return append(done, rest...)
}
