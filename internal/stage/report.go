package stage

import (
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/workspace"
)

// reloadReport tells operators how policy and contracts come into force. One goroutine at a time uses it.
type reloadReport struct {
	log     *service.Logger
	failed  *service.MetricGauge
	count   *service.MetricCounter
	since   *service.MetricGauge
	inForce *service.MetricGauge
	last    string // the refusal that was told last
}

func newReloadReport(mgr *service.Resources) *reloadReport {
	m := mgr.Metrics()
	return &reloadReport{
		log:     mgr.Logger(),
		failed:  m.NewGauge("ebbgate_reload_failed"),
		count:   m.NewCounter("ebbgate_reloads_total", "outcome"),
		since:   m.NewGauge("ebbgate_reload_last_success_timestamp_seconds"),
		inForce: m.NewGauge("ebbgate_policy_in_force", "version"),
	}
}

func (t *reloadReport) begins(ws *workspace.Workspace) {
	t.failed.Set(0)
	t.since.Set(time.Now().Unix())
	t.inForce.Set(1, ws.Policy.Version)
}

func (t *reloadReport) replaced(old *Rules, ws *workspace.Workspace) {
	t.inForce.Set(0, old.Policy.Version)
	t.begins(ws)
	t.last = ""
	t.count.Incr(1, "replaced")
	t.log.Infof("policy %s is in force in place of %s", ws.Policy.Version, old.Policy.Version)
}

func (t *reloadReport) unchanged() {
	t.failed.Set(0)
	t.last = ""
}

// refused tells each refusal once, until there is another or none.
func (t *reloadReport) refused(dir string, old *Rules, err error) {
	t.failed.Set(1)
	if t.last == err.Error() {
		return
	}
	t.last = err.Error()
	t.count.Incr(1, "refused")
	t.log.Errorf("policy %s stays in force: %s holds another that is refused: %v", old.Policy.Version, dir, err)
}
