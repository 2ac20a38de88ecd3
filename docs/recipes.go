// Package docs lets the program quote its own pages, so that what it shows is what is written there and tested.
package docs

import (
	_ "embed"
	"strings"
)

//go:embed cookbook.md
var cookbook string

// Recipe is the first query of the analysts' cookbook under a heading, or empty.
func Recipe(heading string) string {
	_, part, _ := strings.Cut(cookbook, "\n## "+heading+"\n")
	part, _, _ = strings.Cut(part, "\n## ")
	_, part, _ = strings.Cut(part, "```sql\n")
	query, _, _ := strings.Cut(part, "```")
	return query
}
