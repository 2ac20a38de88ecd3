package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// DSN is how a user connects. None needs a password: only this machine can.
func DSN(address, user, database string) string {
	return "postgres://" + user + "@" + address + "/" + database + "?sslmode=disable"
}

// await returns when the cluster answers and has its database.
func await(ctx context.Context, address string, exited <-chan error) error {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		err := prepare(ctx, address)
		if err == nil {
			return nil
		}
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Code[:2] != "57" { // 57P03: it is still starting, or recovering
			return fmt.Errorf("preparing PostgreSQL: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-exited:
			return fmt.Errorf("PostgreSQL ended while it started (%v): %w", err, errEnded)
		case <-ticker.C:
		}
	}
}

var errEnded = errors.New("its log says why")

// prepare makes the database of the staging area. It sorts by code points, as its readers do.
func prepare(ctx context.Context, address string) error {
	conn, err := pgx.Connect(ctx, DSN(address, User, "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", Database).Scan(&there); err != nil || there {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+Database)
	return err
}
