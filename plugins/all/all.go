// Package all is the explicit list of what the distribution is made of: our own components, and the stock ones that
// neither lose events nor bypass the seal.
package all

import (
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	_ "github.com/redpanda-data/benthos/v4/public/components/io"   // stock components, narrowed by the allow-list
	_ "github.com/redpanda-data/benthos/v4/public/components/pure" // stock components, narrowed by the allow-list
	"github.com/redpanda-data/benthos/v4/public/service"

	ebb "github.com/ebbgate/ebbgate/bloblang"
	"github.com/ebbgate/ebbgate/plugins/clickhouse"
	"github.com/ebbgate/ebbgate/plugins/collector"
	"github.com/ebbgate/ebbgate/plugins/consent"
	"github.com/ebbgate/ebbgate/plugins/contract"
	"github.com/ebbgate/ebbgate/plugins/identity"
	"github.com/ebbgate/ebbgate/plugins/metrics"
	"github.com/ebbgate/ebbgate/plugins/quarantine"
	"github.com/ebbgate/ebbgate/plugins/redact"
	"github.com/ebbgate/ebbgate/plugins/redpanda"
	"github.com/ebbgate/ebbgate/plugins/repeats"
	"github.com/ebbgate/ebbgate/plugins/staging"
	"github.com/ebbgate/ebbgate/plugins/strict"
	"github.com/ebbgate/ebbgate/plugins/tracing"
	"github.com/ebbgate/ebbgate/plugins/webhook"
)

// ours lists every component of the distribution. A new plugin is one line here.
var ours = []struct {
	name     string
	register func(*service.Environment) error
}{
	{"redpanda", redpanda.Register},
	{"webhook", webhook.Register},
	{"collector", collector.Register},
	{"strict_json", strict.Register},
	{"repeats", repeats.Register},
	{"quarantine", quarantine.Register},
	{"identity", identity.Register},
	{"contract", contract.Register},
	{"consent", consent.Register},
	{"redact", redact.Register},
	{"clickhouse", clickhouse.Register},
	{"clickhouse_audit", clickhouse.RegisterAudit},
	{"staging", staging.Register},
	{"prometheus", metrics.Register},
	{"open_telemetry_collector", tracing.Register},
}

// Some of the engine's commands (template lint, ConfigSchema walks) look only at the global registry, so the
// distribution registers there once, and Environment narrows clones of it.
func init() {
	if err := Register(service.GlobalEnvironment(), bloblang.GlobalEnvironment()); err != nil {
		panic(err)
	}
}

// Register adds every component and Bloblang plugin of the distribution to the environments given.
func Register(env *service.Environment, blobl *bloblang.Environment) error {
	if err := ebb.Register(blobl); err != nil {
		return fmt.Errorf("registering Bloblang plugins: %w", err)
	}
	for _, plugin := range ours {
		if err := plugin.register(env); err != nil {
			return fmt.Errorf("registering %s: %w", plugin.name, err)
		}
	}
	return nil
}
