package clickhouse

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/stage"
)

func auditSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Services").
		Version("0.1.0").
		Summary("Writes decisions to the ClickHouse audit table, each exactly once.").
		Description(`
It takes batches of the `+"`redpanda`"+` input from the topic with role decisions and from no other, as they are: a stream with this output
has no processors. Each record is read strictly: all fields of a decision and no other, each in a form that has no room for a
value of an event, and an id that is that of what it says. What is no decision goes to quarantine with the code
`+"`decision.field` or `decision.id`"+`, or that of the JSON fault.

Chunks, tokens, the books in `+"`ebbgate_chunks`"+` (destination `+"`audit`"+`) and the reading back are those of the `+"`clickhouse`"+` output. A
decision that a hop wrote again at another offset is dropped. Make the table with `+"`ebbgate clickhouse apply`"+`.`).
		Fields(
			service.NewStringField(choFieldDSN).
				Description("Where ClickHouse is, as for the `clickhouse` output. The user needs INSERT and SELECT on the table and on `ebbgate_chunks`, and nothing on the tables of events.").
				Secret(),
			service.NewStringField(choFieldDatabase).Description("The database, where the DSN names none or another.").Default("").Advanced(),
			service.NewStringField(choFieldTable).Description("The table.").Default("audit_decision_rows").Advanced(),
			service.NewStringEnumField(choFieldCompression, string(clickhouse.LZ4), string(clickhouse.ZSTD), string(clickhouse.None)).
				Description("How inserts are compressed.").Default(string(clickhouse.LZ4)).Advanced(),
			service.NewDurationField(choFieldInsertTimeout).
				Description("How long one insert or query may take. Then its outcome is unknown and is read back.").
				Default("30s").Advanced().LintRule(kafka.DurationRule),
			service.NewIntField(choFieldMaxInFlight).
				Description("How many chunks, of different partitions, are written at a time.").
				Default(4).LintRule(`root = if this < 1 { "max_in_flight must be at least 1" }`),
			stage.WorkspaceField(),
		).
		Example("The audit", "", `
input:
  redpanda:
    seed_brokers: [ "localhost:9092" ]
    topics: [ privacy.decisions ]
    consumer_group: ebbgate-audit
output:
  clickhouse_audit:
    dsn: clickhouse://default@localhost:9000/default
`)
}

// RegisterAudit adds the output for decisions to the environment.
func RegisterAudit(env *service.Environment) error {
	return env.RegisterBatchOutput("clickhouse_audit", auditSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchOutput, service.BatchPolicy, int, error) {
		o, err := auditFromParsed(conf, mgr)
		if err != nil {
			return nil, service.BatchPolicy{}, 0, err
		}
		return o, service.BatchPolicy{}, o.cfg.maxInFlight, nil
	})
}

func auditFromParsed(conf *service.ParsedConfig, mgr *service.Resources) (*output, error) {
	cfg, err := parseCommon(conf)
	if err != nil {
		return nil, err
	}
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	decisions, err := decisionsTopic(rt)
	if err != nil {
		return nil, err
	}
	cfg.destination = auditDestination
	cfg.log, cfg.tracer = mgr.Logger(), hop.NewTracer(mgr.OtelTracer())
	if cfg.audit, err = newAudit(decisions); err != nil {
		return nil, err
	}
	return newOutput(cfg, mgr.Metrics())
}
