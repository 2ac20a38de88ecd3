package schema

import "strings"

// lineDiff shows which lines went (-) and came (+), with the others in between, two spaces in. Texts here are short,
// so the table of common lengths is too.
func lineDiff(before, after string) string {
	a, b := strings.Split(strings.TrimSpace(before), "\n"), strings.Split(strings.TrimSpace(after), "\n")
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out strings.Builder
	line := func(mark, text string) { out.WriteString(mark + " " + text + "\n") }
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			line(" ", a[i])
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			line("-", a[i])
			i++
		default:
			line("+", b[j])
			j++
		}
	}
	for ; i < len(a); i++ {
		line("-", a[i])
	}
	for ; j < len(b); j++ {
		line("+", b[j])
	}
	return out.String()
}
