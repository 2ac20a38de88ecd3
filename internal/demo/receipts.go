package demo

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/trace"
)

// Receipts are the attempts at the webhook door.
type Receipts struct {
	Counts []ReceiptCount
	// Shown is one of a delivery that came twice, and what became of it.
	Shown *trace.Trace
}

// ReceiptCount is how many attempts of a source ended in one way.
type ReceiptCount struct {
	Source, Verification string
	Status, Attempts     int
}

// receipts counts the attempts and follows the second one of a delivery.
func (r *run) receipts(ctx context.Context, where trace.Options) (out Receipts, err error) {
	list, err := trace.ListReceipts(ctx, trace.Wanted{}, where)
	if err != nil {
		return out, err
	}
	counts, seen, again := map[ReceiptCount]int{}, map[string]bool{}, ""
	for _, one := range list.Receipts {
		counts[ReceiptCount{Source: one.Source, Verification: one.Verification, Status: one.Status}]++
		if one.Verification == receipt.Verified && seen[one.EventID] && (again == "" || one.Source == "stripe") {
			again = one.ID
		}
		seen[one.EventID] = one.Verification == receipt.Verified
	}
	for kind, n := range counts {
		kind.Attempts = n
		out.Counts = append(out.Counts, kind)
	}
	slices.SortFunc(out.Counts, func(a, b ReceiptCount) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Verification, b.Verification))
	})
	if again != "" {
		out.Shown, err = trace.Find(ctx, again, where)
	}
	return out, err
}

func (r *Receipts) write(w io.Writer) {
	if len(r.Counts) == 0 {
		return
	}
	fmt.Fprintln(w, "\nReceipts of the webhook door, one for each attempt:")
	rows := newTable(w, "source", "verification", "answer", "attempts")
	for _, c := range r.Counts {
		rows.AppendRow(table.Row{c.Source, c.Verification, c.Status, c.Attempts})
	}
	rows.Render()
}
