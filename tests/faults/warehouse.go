package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/ebbgate/ebbgate/internal/sandbox/postgres"
	"github.com/ebbgate/ebbgate/internal/stitch"
)

const (
	sinkFile       = "pipelines/sinks/warehouse.yaml"
	warehouseGroup = "ebbgate-warehouse"
	stagingSchema  = "stitch_stage"
)

// stagedAlone are the events that have a row of their own in the staging area.
var stagedAlone = map[string]bool{"campaign_touched": true, "form_submitted": true, "invoice_paid": true}

// warehouse pulls from the staging area as Stitch does, again and again while everything is killed.
type warehouse struct {
	reader stitch.Reader
	loaded stitch.Destination
}

func readArea(ctx context.Context, r *rig) (*pgx.Conn, error) {
	return pgx.Connect(ctx, postgres.DSN(r.area.running.Address(), "stitch_reader", postgres.Database))
}

// pull runs one job, from where the one before it ended.
func (w *warehouse) pull(ctx context.Context, r *rig) error {
	conn, err := readArea(ctx, r)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	w.reader.Schema = stagingSchema
	return w.reader.Pull(ctx, conn, &w.loaded)
}

// check pulls once more, holds what many jobs loaded against what one job loads that begins now, and each event that has a row of
// its own against what became of its person.
func (w *warehouse) check(ctx context.Context, r *rig, a *audit) error {
	if err := w.pull(ctx, r); err != nil {
		return err
	}
	anew := warehouse{}
	if err := anew.pull(ctx, r); err != nil {
		return err
	}
	live := map[string]bool{}
	for table, rows := range anew.loaded.Tables {
		for key, row := range rows {
			if before, ok := w.loaded.Tables[table][key]; !ok || before[stitch.Key] != row[stitch.Key] {
				a.rep.wrong(key, "the warehouse missed a row of %s", table)
			}
			id, ok := row["event_id"].(string)
			if ok && row["is_deleted"] == false && stagedAlone[fmt.Sprint(row["event_name"])] {
				live[id] = true
				if want, known := a.stage[id]; !known || !want {
					a.rep.wrong(id, "%s has a row that must not be live", table)
				}
			}
		}
	}
	a.rep.Staged = len(live)
	for id, want := range a.stage {
		if want && !live[id] {
			a.rep.wrong(id, "an event has no live row in the staging area")
		}
	}
	return nil
}
