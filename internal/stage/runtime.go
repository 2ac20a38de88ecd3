package stage

import (
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/topics"
)

const (
	fieldWorkspace = "workspace"
	fieldReload    = "reload_period"
)

// WorkspaceField is the configuration field by which a component finds policy, contracts and topics.
func WorkspaceField() *service.ConfigField {
	return service.NewStringField(fieldWorkspace).
		Description("The folder that holds `policy.yaml`, `contracts/` and `topics.yaml`.").
		Default("./pipelines")
}

// ReloadField is the configuration field of components that follow changes of policy and contracts.
func ReloadField() *service.ConfigField {
	return service.NewDurationField(fieldReload).
		Description("How often the workspace is looked at for a new policy or new contracts. They come into force together, for all components of the process at once, when two looks have seen the same and it is valid; until then what is in force stays. The shortest period of the components that name the same workspace counts; `0s` is never.").
		Default("5s").
		Advanced()
}

// Runtime is what every component of ours works with.
type Runtime struct {
	Dir             string // the workspace, as the component names it
	Topics          *topics.Set
	Ring            *keys.Ring
	Cipher          *quarantine.Cipher
	QuarantineTopic string
	Log             *service.Logger
	Metrics         *service.Metrics

	live   *live
	period time.Duration
}

// NewRuntime loads the workspace a component names and the keys the environment names, and fails, so that the stream
// refuses to start, when either is missing or wrong. Components of one process share the workspace. What they need of
// policy and contracts they make with NewPart.
func NewRuntime(conf *service.ParsedConfig, mgr *service.Resources) (rt *Runtime, err error) {
	rt = &Runtime{Log: mgr.Logger(), Metrics: mgr.Metrics()}
	if rt.Dir, err = conf.FieldString(fieldWorkspace); err != nil {
		return nil, err
	}
	if conf.Contains(fieldReload) {
		if rt.period, err = conf.FieldDuration(fieldReload); err != nil {
			return nil, err
		}
	}
	if rt.live, err = shareLive(rt.Dir, mgr); err != nil {
		return nil, err
	}
	rt.Topics = rt.live.rules().Topics
	if rt.Ring, err = keys.FromEnvironment(); err != nil {
		return nil, err
	}
	topic, ok := rt.Topics.ByRole(topics.Quarantine)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role quarantine: add events.dlq with role: quarantine", rt.Dir)
	}
	rt.Cipher, rt.QuarantineTopic = quarantine.NewCipher(rt.Ring), topic.Name
	return rt, nil
}

// Rules are those in force now.
func (rt *Runtime) Rules() *Rules { return rt.live.rules() }
