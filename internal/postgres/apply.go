package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ebbgate/ebbgate/internal/staging"
)

// MakePlan compares the database with the area.
func MakePlan(ctx context.Context, q Querier, area *staging.Area, drop bool) (*staging.Plan, error) {
	have, err := Inspect(ctx, q, area)
	if err != nil {
		return nil, err
	}
	return area.Compare(have, drop), nil
}

// applyLock keeps two people from applying at once.
const applyLock = 0x65626267

// Apply does what the plan says in one transaction, and compares again before it commits: what would still differ was
// not made, and nothing is kept.
func Apply(ctx context.Context, conn *pgx.Conn, area *staging.Area, drop bool) (*staging.Plan, error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("applying the staging area: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", applyLock); err != nil {
		return nil, fmt.Errorf("applying the staging area: %w", err)
	}
	plan, err := MakePlan(ctx, tx, area, drop)
	if err != nil {
		return nil, err
	}
	if err := plan.Blocked(); err != nil {
		return nil, err
	}
	// What a role held through PUBLIC it lacks only once that is revoked, so there may be something left to grant.
	left := plan
	for round := 0; round < 2 && len(left.Changes) > 0; round++ {
		if err := run(ctx, tx, left); err != nil {
			return nil, err
		}
		if left, err = MakePlan(ctx, tx, area, drop); err != nil {
			return nil, err
		}
	}
	if len(left.Changes) > 0 {
		return nil, fmt.Errorf("applying the staging area: the database still differs, so nothing was changed: %s", strings.Join(Drifted(left), "; "))
	}
	if err := tx.Commit(ctx); err != nil {
		return nil, fmt.Errorf("applying the staging area: %w", err)
	}
	return plan, nil
}

func firstLine(sql string) string {
	line, _, _ := strings.Cut(sql, "\n")
	return line
}

// run executes the plan's statements as the user who is connected.
func run(ctx context.Context, tx pgx.Tx, plan *staging.Plan) error {
	for _, sql := range plan.Statements() {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("running %q: %w", firstLine(sql), err)
		}
	}
	if _, err := tx.Exec(ctx, "RESET ROLE"); err != nil {
		return fmt.Errorf("applying the staging area: %w", err)
	}
	return nil
}
