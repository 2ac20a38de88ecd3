package trace

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// Wanted says which receipts to list. What is empty does not narrow the list.
type Wanted struct {
	Source, Verification string
	Status               int
	// ID is any id that a receipt bears.
	ID string
	// BodyOf is a receipt of which other events with the same body are wanted.
	BodyOf *receipt.Receipt
	Until  time.Time
	// Limit is how many to give at most, the newest; 0 for all.
	Limit int
}

func (w *Wanted) wants(r *receipt.Receipt) bool {
	return (w.Source == "" || w.Source == r.Source) && (w.Verification == "" || w.Verification == r.Verification) &&
		(w.Status == 0 || w.Status == r.Status) && (w.ID == "" || r.Bears(w.ID)) && (w.Until.IsZero() || r.At.Before(w.Until)) &&
		(w.BodyOf == nil || r.SameBodyAs(w.BodyOf))
}

// Receipts are attempts at the webhook door, in order of time.
type Receipts struct {
	Receipts []*receipt.Receipt `json:"receipts"`
	// Matched is how many there are, with those beyond the limit. Unreadable is how many records are no receipts.
	Matched    int    `json:"matched"`
	Unreadable int    `json:"unreadable,omitempty"`
	Search     Search `json:"search"`
}

// ErrNoReceipts says that the workspace keeps none.
var ErrNoReceipts = errors.New("topics.yaml: no topic has role receipts: add ingest.receipts with role: receipts")

// ListReceipts reads the topic of receipts from opts.Since on.
func ListReceipts(ctx context.Context, want Wanted, opts Options) (*Receipts, error) {
	topic, ok := opts.Topics.ByRole(topics.Receipts)
	if !ok {
		return nil, ErrNoReceipts
	}
	r, err := opts.Client.OpenReader(opts.Since)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	begin, list := time.Now(), &Receipts{Receipts: []*receipt.Receipt{}}
	if !opts.Since.IsZero() {
		since := opts.Since.UTC()
		list.Search.Since = &since
	}
	n, err := r.Scan(ctx, topic.Name, func(rec *kgo.Record) { list.take(rec, &want) })
	if err != nil {
		return nil, err
	}
	list.trim(want.Limit)
	list.Search.Topics, list.Search.Seconds = []Searched{{topic.Name, n}}, time.Since(begin).Seconds()
	return list, nil
}

func (l *Receipts) take(rec *kgo.Record, want *Wanted) {
	r, err := receipt.Parse(rec.Value)
	switch {
	case err != nil:
		l.Unreadable++
	case want.wants(r):
		l.Matched++
		l.Receipts = append(l.Receipts, r)
		if want.Limit > 0 && len(l.Receipts) >= 2*want.Limit+1000 { // partitions are read one beside the other
			l.trim(want.Limit)
		}
	}
}

// trim orders the receipts and keeps the newest.
func (l *Receipts) trim(limit int) {
	slices.SortFunc(l.Receipts, func(a, b *receipt.Receipt) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	if over := len(l.Receipts) - limit; limit > 0 && over > 0 {
		l.Receipts = slices.Clone(l.Receipts[over:])
	}
}

// RawDelivery reads the record that a receipt names. It is nil when the topic has forgotten it.
func RawDelivery(ctx context.Context, at receipt.Ref, opts Options) (*kgo.Record, error) {
	r, err := opts.Client.OpenReader(opts.Since)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.At(ctx, at.Topic, at.Partition, at.Offset)
}
