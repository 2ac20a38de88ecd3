package stage

import (
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

const fieldWorkspace = "workspace"

// WorkspaceField is the configuration field by which a component finds policy, contracts and topics.
func WorkspaceField() *service.ConfigField {
	return service.NewStringField(fieldWorkspace).
		Description("The folder that holds `policy.yaml`, `contracts/` and `topics.yaml`.").
		Default("./pipelines")
}

// Runtime is what every component of ours works with.
type Runtime struct {
	Workspace       *workspace.Workspace
	Ring            *keys.Ring
	Cipher          *quarantine.Cipher
	QuarantineTopic string
	Log             *service.Logger
	Metrics         *service.Metrics
}

type workspaceKey struct{ dir string }

// NewRuntime loads the workspace a component names and the keys the environment names, and fails, so that the stream
// refuses to start, when either is missing or wrong. Components of one process share the workspace.
func NewRuntime(conf *service.ParsedConfig, mgr *service.Resources) (*Runtime, error) {
	dir, err := conf.FieldString(fieldWorkspace)
	if err != nil {
		return nil, err
	}
	ws, err := sharedWorkspace(dir, mgr)
	if err != nil {
		return nil, err
	}
	ring, err := keys.FromEnvironment()
	if err != nil {
		return nil, err
	}
	topic, ok := ws.Topics.ByRole(topics.Quarantine)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role quarantine: add events.dlq with role: quarantine", dir)
	}
	return &Runtime{
		Workspace:       ws,
		Ring:            ring,
		Cipher:          quarantine.NewCipher(ring),
		QuarantineTopic: topic.Name,
		Log:             mgr.Logger(),
		Metrics:         mgr.Metrics(),
	}, nil
}

// sharedWorkspace keeps one workspace per folder in a process: a message's index can ride from one component to the
// next only when both name fields by the same dictionary.
func sharedWorkspace(dir string, mgr *service.Resources) (*workspace.Workspace, error) {
	if shared, ok := mgr.GetGeneric(workspaceKey{dir}); ok {
		return shared.(*workspace.Workspace), nil
	}
	ws, err := workspace.Load(dir)
	if err != nil {
		return nil, fmt.Errorf("loading the workspace %s: %w", dir, err)
	}
	shared, _ := mgr.GetOrSetGeneric(workspaceKey{dir}, ws)
	return shared.(*workspace.Workspace), nil
}
