package strict

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// maxQuoted keeps a mangled file from filling the screen.
const maxQuoted = 80

// Quote shows a text of a workspace file inside a message: on one line, cut when long.
func Quote(text string) string {
	runes := []rune(strings.ToValidUTF8(text, "?"))
	if len(runes) > maxQuoted {
		runes = append(runes[:maxQuoted], '…')
	}
	return "`" + strings.Map(printable, string(runes)) + "`"
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f || (r >= 0x200b && r <= 0x200f) || (r >= 0x202a && r <= 0x202e) {
		return '?'
	}
	return r
}

// Fold gives the form under which two names count as near: compatibility forms, case and separators that do not show are equal.
func Fold(name string) string {
	folded := strings.ToLower(norm.NFKC.String(name))
	return strings.Map(func(r rune) rune {
		if r <= ' ' || (r >= 0x200b && r <= 0x200f) || r == 0x2060 || r == 0xfeff || r == 0xad {
			return -1
		}
		return r
	}, folded)
}

// Suggest names the known text nearest to the one given, else lists what is known if that is short.
func Suggest(text string, known []string) string {
	best, distance := "", 3
	for _, candidate := range known {
		if Fold(candidate) == Fold(text) || strings.HasSuffix(candidate, "."+text) {
			return "did you mean " + Quote(candidate) + "?"
		}
		if len(text) > maxQuoted || len(candidate) < 3 {
			continue
		}
		if d := editDistance(text, candidate, distance); d < distance {
			best, distance = candidate, d
		}
	}
	switch {
	case best != "":
		return "did you mean " + Quote(best) + "?"
	case len(known) == 0:
		return "remove it"
	case len(known) <= 16:
		sorted := slices.Clone(known)
		slices.Sort(sorted)
		return "use one of " + strings.Join(sorted, ", ")
	}
	return "remove it or correct the spelling"
}

// editDistance counts insertions, deletions and replacements between two texts, giving up at limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
