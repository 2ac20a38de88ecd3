package webhook

import (
	"context"
	"fmt"
	"net/http"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/receipt"
)

// write makes a receipt durable, and then names it in the answer. It is keyed by its delivery, so that all attempts of one stand
// together.
func (in *input) write(ctx context.Context, w http.ResponseWriter, rec *receipt.Receipt) error {
	receipts := in.receipts.Load()
	if receipts == nil {
		return service.ErrNotConnected
	}
	value, err := rec.Append(nil)
	if err != nil {
		return fmt.Errorf("writing a receipt: %w", err)
	}
	key := rec.EventID
	if key == "" {
		key = rec.ID
	}
	if err := receipts.Write(ctx, in.receiptsTopic, key, value); err != nil {
		in.metrics.receiptErrors.Incr(1, rec.Source)
		in.log.Errorf("writing the receipt of a delivery to %s: %v", in.receiptsTopic, err)
		return fmt.Errorf("writing a receipt: %w", err)
	}
	w.Header().Set(door.HeaderReceiptID, rec.ID)
	return nil
}
