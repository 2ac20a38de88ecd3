package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/ebbgate/ebbgate/internal/staging"
)

// Standing is how a table of the area stands.
type Standing struct {
	Table      string     `json:"table"`
	Rows       int64      `json:"rows"`
	Tombstones int64      `json:"tombstones"`
	Highest    int64      `json:"highest_row_seq"`
	Newest     *time.Time `json:"newest_staged_at,omitempty"`
}

// Status counts the tables of the area.
func Status(ctx context.Context, q Querier, area *staging.Area) (all []Standing, err error) {
	for _, t := range area.Tables() {
		deleted := "is_deleted"
		if t.Name == staging.PrivacyDeletions {
			deleted = "false"
		}
		s := Standing{Table: t.Name}
		err := q.QueryRow(ctx, fmt.Sprintf(`SELECT count(*), count(*) FILTER (WHERE %s), coalesce(max(row_seq), 0), max(staged_at) FROM "%s"."%s"`, deleted, t.Schema, t.Name)).
			Scan(&s.Rows, &s.Tombstones, &s.Highest, &s.Newest)
		if err != nil {
			return nil, fmt.Errorf("counting %s: %w", t.Name, Reason(err))
		}
		all = append(all, s)
	}
	return all, nil
}
