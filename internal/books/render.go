package books

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
)

// WriteJSON writes the books as one indented JSON object with a last member "balanced".
func (b *Books) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	err := out.Encode(struct {
		*Books
		Balanced bool `json:"balanced"`
		Drained  bool `json:"drained"`
	}{b, b.Balanced(), b.Drained()})
	if err != nil {
		return fmt.Errorf("writing the books: %w", err)
	}
	return nil
}

// WriteTable writes the books as a table for people, with the reasons, codes and problems below it.
func (b *Books) WriteTable(w io.Writer) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{
		"destination", "accepted", "delivered", "denied", "quarantined", "suppressed", "waiting", "balance", "duplicates", "repeated",
	})
	for _, r := range b.Rows {
		label := r.Destination
		if r.CountedTo == ToTopic.String() {
			label += " *"
		}
		t.AppendRow(table.Row{
			label, r.Accepted, r.Delivered, r.Denied, r.Quarantined, r.Suppressed, r.Waiting, r.Balance, r.Duplicates, r.Repeated,
		})
	}
	_, err := io.WriteString(w, t.Render()+"\n"+b.notes())
	if err != nil {
		return fmt.Errorf("writing the books: %w", err)
	}
	return nil
}

func (b *Books) notes() string {
	var out strings.Builder
	for _, r := range b.Rows {
		if r.CountedTo == ToTopic.String() {
			fmt.Fprintf(&out, "* %s: delivered means on the topic %s\n", r.Destination, r.Topic)
		}
	}
	for _, r := range b.Rows {
		writeCounts(&out, r.Destination+" denied or suppressed", r.Reasons)
	}
	for _, r := range b.Rows {
		if same := b.sameCodes(r); same[0] == r.Destination {
			writeCounts(&out, strings.Join(same, ", ")+" quarantined", r.Codes)
		}
	}
	for _, r := range b.Rows {
		for _, p := range r.Problems {
			fmt.Fprintf(&out, "PROBLEM %s: %s: %d, such as %s\n", r.Destination, p.Kind, p.Events, strings.Join(p.Examples, ", "))
		}
	}
	for _, l := range b.Leaks {
		fmt.Fprintf(&out, "LEAK %s: the canary of %s, %s, %d times, first at byte %d\n", l.Source, l.Field, l.Form, l.Times, l.Offset)
	}
	verdict := "the books do not balance"
	switch {
	case b.Balanced() && b.Drained():
		verdict = "balanced: every accepted event came to exactly one end"
	case b.Balanced():
		verdict = "balanced so far: some events are still on their way"
	}
	return out.String() + verdict + "\n"
}

// sameCodes are the destinations that lack the same events for the same reasons, which is usually all of them.
func (b *Books) sameCodes(row Row) (same []string) {
	for _, r := range b.Rows {
		if maps.Equal(r.Codes, row.Codes) {
			same = append(same, r.Destination)
		}
	}
	return same
}

// writeCounts writes one line with the largest counts first.
func writeCounts(out *strings.Builder, label string, counts map[string]int) {
	if len(counts) == 0 {
		return
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s %d", name, counts[name])
	}
	fmt.Fprintf(out, "%s: %s\n", label, strings.Join(parts, ", "))
}
