package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Connect opens one connection. Its errors name host and database and never the DSN, which may hold a password.
func Connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, ErrDSN
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting to PostgreSQL at %s, database %s, as %s: %w",
			net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))), config.Database, config.User, Reason(err))
	}
	return conn, nil
}

// ErrDSN is a DSN that cannot be read. It is not shown, because it may hold a password.
var ErrDSN = errors.New("the DSN must read postgres://user@host:5432/database, with ?sslmode=require where the server is remote")

// Reason is what the server or the network said, without what was tried.
func Reason(err error) error {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fmt.Errorf("%s (SQLSTATE %s)", refused.Message, refused.Code)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return errors.New("no answer, or another kind of server")
}
