package staging

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/staging"
)

// reasonWithdrawn is why a row is a tombstone that a later opt-in may fill again.
const reasonWithdrawn = "consent_withdrawn"

// sweep judges anew every row of the subjects that a chunk of a state topic names. What its records say is not looked at:
// the state now is, which is at least as new.
func (o *output) sweep(ctx context.Context, c *chunk) error {
	keys := make([]string, 0, len(c.records))
	for i := range c.records {
		if key, _ := c.records[i].msg.MetaGet(stage.MetaKafkaKey); key != "" {
			keys = append(keys, strings.Split(key, ",")...) // a link's key names both ends
		}
	}
	keys, err := o.withLinked(ctx, keys)
	if err != nil {
		return err
	}
	var done swept
	err = o.inGate(ctx, func(ctx context.Context, tx pgx.Tx) error {
		done = swept{}
		if err := o.erase(ctx, tx, keys, &done); err != nil {
			return err
		}
		for _, d := range o.cfg.area.Datasets {
			if d.Kind == staging.Aggregate {
				continue
			}
			if err := o.sweepDataset(ctx, tx, d, keys, &done); err != nil {
				return err
			}
		}
		_, err := o.advance(ctx, tx, &chunk{of: c.of})
		return err
	})
	if err == nil {
		o.metrics.swept(&done)
	}
	return err
}

// withLinked adds everything that is linked to the keys: rows staged under it are the same person's.
func (o *output) withLinked(ctx context.Context, keys []string) ([]string, error) {
	linked, err := o.cfg.lookup.Linked(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("reading identity links before the commit: %w", err)
	}
	for _, others := range linked {
		keys = append(keys, others...)
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

type swept struct{ erased, withdrawn, blanked int64 }

// erase makes tombstones of all rows of erased subjects, for good.
func (o *output) erase(ctx context.Context, tx pgx.Tx, keys []string, done *swept) error {
	states, err := o.states(ctx, keys)
	if err != nil {
		return err
	}
	for i, key := range keys {
		erasure := states[i].Erased
		if erasure == nil {
			continue
		}
		request := erasure.RequestID
		if request == "" {
			request = "unreadable"
		}
		var n int64
		if err := tx.QueryRow(ctx, "SELECT stage_internal.erase_subject($1, $2, $3, $4)", key, o.cfg.token(key), request, o.cfg.rules().policy).Scan(&n); err != nil {
			return unavailable(err)
		}
		done.erased += n
	}
	return nil
}

// staged is a row that is there, and whom it is about.
type staged struct {
	id       string
	class    string
	subjects []string
}

func (o *output) sweepDataset(ctx context.Context, tx pgx.Tx, d *staging.Dataset, keys []string, done *swept) error {
	var rows []staged
	var subjects []string
	err := o.each(ctx, tx, o.cfg.area.RowsOf(d), []any{keys}, func(found pgx.Rows) error {
		var r staged
		err := found.Scan(&r.id, &r.class, &r.subjects)
		rows, subjects = append(rows, r), append(subjects, r.subjects...)
		return err
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	states, err := o.states(ctx, subjects)
	if err != nil {
		return err
	}
	gone, blank, err := o.rejudge(d, rows, states)
	if err != nil {
		return err
	}
	if len(gone) > 0 {
		tag, err := tx.Exec(ctx, o.cfg.area.Withdraw(d), gone, reasonWithdrawn)
		if err != nil {
			return unavailable(err)
		}
		done.withdrawn += tag.RowsAffected()
	}
	for column, ids := range blank {
		tag, err := tx.Exec(ctx, o.cfg.area.Blank(d, column), ids)
		if err != nil {
			return unavailable(err)
		}
		done.blanked += tag.RowsAffected()
	}
	return nil
}

// rejudge tells which rows have to go, and which columns of which others have to be emptied.
func (o *output) rejudge(d *staging.Dataset, rows []staged, states []consent.State) (gone []string, blank map[string][]string, err error) {
	rules, now := o.cfg.rules(), time.Now()
	blank = map[string][]string{}
	needs := map[string]*requirement{}
	for _, r := range rows {
		own := states[:len(r.subjects)]
		states = states[len(r.subjects):]
		if needs[r.class] == nil {
			if needs[r.class], err = rules.needOf(d, r.class); err != nil {
				return nil, nil, err
			}
		}
		denied, paths := needs[r.class].judge(own, now, rules.unlessSuppressed)
		if denied != "" {
			gone = append(gone, r.id)
			continue
		}
		for _, c := range d.Columns {
			if withheld(paths, c.Path) {
				blank[c.Name] = append(blank[c.Name], r.id)
			}
		}
	}
	return gone, blank, nil
}
