package staging

import (
	"context"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/postgres"
)

// standingPeriod is how often the tables are counted.
const standingPeriod = time.Minute

// standing are the gauges that say how the tables stand, as `ebbgate staging status` does.
type standing struct {
	rows, tombstones, highest, newest *service.MetricGauge
}

func newStanding(m *service.Metrics) standing {
	return standing{
		rows:       m.NewGauge("ebbgate_staging_table_rows", "dataset"),
		tombstones: m.NewGauge("ebbgate_staging_table_tombstones", "dataset"),
		highest:    m.NewGauge("ebbgate_staging_highest_row_seq", "dataset"),
		newest:     m.NewGauge("ebbgate_staging_newest_row_timestamp_seconds", "dataset"),
	}
}

// keepCounting tells how the tables stand until ctx ends. A database that does not answer leaves the gauges as they were; the
// stream itself says that it waits.
func (o *output) keepCounting(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	for {
		if all, err := postgres.Status(ctx, o.pool, o.cfg.area); err == nil {
			o.standing.tell(all)
		} else if ctx.Err() == nil {
			o.cfg.log.Debugf("Counting the staging area: %v", err)
		}
		select {
		case <-time.After(standingPeriod):
		case <-ctx.Done():
			return
		}
	}
}

func (s standing) tell(all []postgres.Standing) {
	for _, t := range all {
		s.rows.Set(t.Rows, t.Table)
		s.tombstones.Set(t.Tombstones, t.Table)
		s.highest.Set(t.Highest, t.Table)
		if t.Newest != nil {
			s.newest.Set(t.Newest.Unix(), t.Table)
		}
	}
}
