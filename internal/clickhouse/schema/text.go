package schema

import (
	"fmt"
	"strings"
)

var marks = map[Action]string{Create: "+", Replace: "~", Drop: "-", Blocked: "!"}

// Text is the plan for a person: each change with its SQL, or with its difference where something is replaced.
func (p *Plan) Text() string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s %s %s\n", marks[c.Action], c.Action, c.Kind, c.Name)
		if c.Reason != "" {
			b.WriteString("    " + c.Reason + "\n")
		}
		body := c.Diff
		if body == "" {
			body = strings.Join(c.SQL, ";\n")
		}
		for line := range strings.Lines(strings.TrimSpace(body)) {
			b.WriteString(strings.TrimRight("    "+line, " \n") + "\n")
		}
	}
	for _, note := range p.Notes {
		b.WriteString("note: " + note + "\n")
	}
	if len(p.Changes) == 0 {
		fmt.Fprintf(&b, "database %s is as the workspace describes it\n", p.Database)
	} else {
		fmt.Fprintf(&b, "database %s: %d changes\n", p.Database, len(p.Changes))
	}
	return b.String()
}
