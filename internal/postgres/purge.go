package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Purge removes tombstones that Stitch must have read by now, and rows past their retention, and returns how many went. Only
// the area's owner may. Without commit nothing is removed, and the number is what would go.
func Purge(ctx context.Context, conn *pgx.Conn, commit bool) (removed int64, err error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return 0, fmt.Errorf("purging the staging area: %w", Reason(err))
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if err := tx.QueryRow(ctx, "SELECT stage_internal.purge()").Scan(&removed); err != nil {
		return 0, fmt.Errorf("purging the staging area: %w", Reason(err))
	}
	if !commit {
		return removed, nil
	}
	if err := tx.Commit(ctx); err != nil {
		return 0, fmt.Errorf("purging the staging area: %w", Reason(err))
	}
	return removed, nil
}
