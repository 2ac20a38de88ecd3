package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/ebbgate/ebbgate/internal/sandbox/child"
	"github.com/ebbgate/ebbgate/internal/sandbox/postgres"
)

// stagingWriter is the role that the shipped staging.yaml gives to pipelines.
const stagingWriter = "stage_writer"

// startPostgres starts the machine's PostgreSQL. Only the staging area needs it, so a machine without one has a sandbox
// without that.
func (s *Sandbox) startPostgres(ctx context.Context) error {
	_, err := postgres.Find()
	if errors.Is(err, postgres.ErrNoServer) {
		fmt.Fprintf(s.opts.Messages, "the staging area is left out: %v\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	server, err := s.launch(ctx, Postgres, s.opts.PostgresPort, nil, askPostgres)
	if err != nil {
		return err
	}
	address := server.process.Address()
	s.state.Endpoints.StagingAdminDSN = postgres.DSN(address, postgres.User, postgres.Database)
	s.state.Endpoints.StagingDSN = postgres.DSN(address, stagingWriter, postgres.Database)
	return nil
}

// askPostgres connects to the database of the staging area, which the server makes before it answers.
func askPostgres(ctx context.Context, address string) error {
	conn, err := pgx.Connect(ctx, postgres.DSN(address, postgres.User, postgres.Database))
	if err != nil {
		return fmt.Errorf("asking PostgreSQL on %s: %w", address, err)
	}
	return conn.Close(ctx)
}

// ServePostgres is the main function of PostgreSQL's process.
func ServePostgres(opts ServeOptions) error {
	return child.Run(func(ctx context.Context, ready func(string)) error {
		return postgres.Serve(ctx, postgres.Options{DataDir: opts.Data, Listen: opts.Listen, Ready: ready})
	})
}
