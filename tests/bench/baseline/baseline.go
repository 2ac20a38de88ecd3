// Package baseline is what the gate is measured against: the engine's own `mutation`, and an output that writes rows
// through database/sql the way Redpanda Connect's sql_insert does: an argument mapping and an Exec per message, one
// transaction per batch.
package baseline

import (
	"context"
	"database/sql"
	"fmt"

	_ "github.com/ClickHouse/clickhouse-go/v2" // the driver
	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"
)

type output struct {
	dsn, insert string
	args        *bloblang.Executor
	db          *sql.DB
}

// Register adds the output sql_rows to the environment.
func Register(env *service.Environment) error {
	spec := service.NewConfigSpec().
		Field(service.NewStringField("dsn")).
		Field(service.NewStringField("insert").Description("The statement, up to VALUES.")).
		Field(service.NewBloblangField("args_mapping").Description("Gives the list of a row's values."))
	return env.RegisterBatchOutput("sql_rows", spec, func(conf *service.ParsedConfig, _ *service.Resources) (service.BatchOutput, service.BatchPolicy, int, error) {
		o := &output{}
		var err error
		if o.dsn, err = conf.FieldString("dsn"); err == nil {
			if o.insert, err = conf.FieldString("insert"); err == nil {
				o.args, err = conf.FieldBloblang("args_mapping")
			}
		}
		return o, service.BatchPolicy{}, 4, err
	})
}

func (o *output) Connect(ctx context.Context) (err error) {
	if o.db, err = sql.Open("clickhouse", o.dsn); err != nil {
		return err
	}
	return o.db.PingContext(ctx)
}

func (o *output) WriteBatch(ctx context.Context, batch service.MessageBatch) error {
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	stmt, err := tx.PrepareContext(ctx, o.insert)
	if err != nil {
		_ = tx.Rollback()
		return err
	}
	args := batch.BloblangExecutor(o.args)
	for i := range batch {
		values, err := row(args, i)
		if err == nil {
			_, err = stmt.ExecContext(ctx, values...)
		}
		if err != nil {
			_ = tx.Rollback()
			return err
		}
	}
	return tx.Commit()
}

func row(args *service.MessageBatchBloblangExecutor, i int) ([]any, error) {
	msg, err := args.Query(i)
	if err != nil {
		return nil, err
	}
	value, err := msg.AsStructured()
	if err != nil {
		return nil, err
	}
	values, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("the argument mapping gives %T, not a list", value)
	}
	return values, nil
}

func (o *output) Close(context.Context) error { return o.db.Close() }
