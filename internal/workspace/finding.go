package workspace

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

// Severity says whether a finding stops.
type Severity string

// The severities: an error is refused, a warning is allowed and seldom meant.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one thing lint has to say of a file.
type Finding struct {
	File     string   `json:"file"`
	Line     int      `json:"line,omitempty"` // 0 when the whole file is meant
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	Field    string   `json:"field,omitempty"`
	What     string   `json:"what"`
	Remedy   string   `json:"remedy,omitempty"`
}

// String gives "file:line: severity: field: what: remedy [rule]", without the parts that are empty.
func (f Finding) String() string {
	field := strings.TrimSuffix(string(f.Severity)+": "+f.Field, ": ")
	problem := strict.Problem{File: f.File, Line: f.Line, Field: field, What: f.What, Remedy: f.Remedy}
	return problem.Error() + " [" + f.Rule + "]"
}

// SortFindings orders findings by file and line and takes repeats out.
func SortFindings(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(findings)
}

// refusals turns what Load says into findings. Their rule is the kind of file.
func refusals(err error) []Finding {
	var problem *strict.Problem
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &joined):
		var all []Finding
		for _, inner := range joined.Unwrap() {
			all = append(all, refusals(inner)...)
		}
		return all
	case errors.As(err, &problem):
		rule, _, _ := strings.Cut(strings.TrimSuffix(problem.File, ".yaml"), "/")
		return []Finding{{File: problem.File, Line: problem.Line, Severity: Error, Rule: rule, Field: problem.Field, What: problem.What, Remedy: problem.Remedy}}
	default:
		return []Finding{{File: ".", Severity: Error, Rule: "workspace", What: err.Error()}}
	}
}
