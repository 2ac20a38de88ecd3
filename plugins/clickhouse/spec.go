package clickhouse

import (
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

const (
	choFieldDSN           = "dsn"
	choFieldDatabase      = "database"
	choFieldTable         = "table"
	choFieldDestination   = "destination"
	choFieldColumns       = "columns"
	choFieldCompression   = "compression"
	choFieldInsertTimeout = "insert_timeout"
	choFieldMaxInFlight   = "max_in_flight"
	choFieldRecords       = "records"
)

func outputSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Services").
		Version("0.1.0").
		Summary("Writes the sealed records of one destination to ClickHouse, each exactly once, checking consent again just before.").
		Description(specDescription).
		Fields(outputFields()...).
		LintRule(state.Rule).
		Example("Product analytics", "The shipped table, filled from the destination's topic.", `
input:
  redpanda:
    seed_brokers: [ "localhost:9092" ]
    topics: [ events.authorized.analytics ]
    consumer_group: ebbgate-analytics
output:
  clickhouse:
    dsn: clickhouse://default@localhost:9000/default
    destination: analytics
    state:
      seed_brokers: [ "localhost:9092" ]
`).
		Example("Columns of your own", "After `ALTER TABLE events ADD COLUMN plan LowCardinality(String)` in a new file of `pipelines/clickhouse`.", `
output:
  clickhouse:
    dsn: https://default:${CLICKHOUSE_PASSWORD}@example.clickhouse.cloud:8443/default
    destination: analytics
    columns:
      plan: properties.plan
    state:
      seed_brokers: [ "localhost:9092" ]
`).
		Example("Judged and delivered in one stream", "No topic in between: `records` takes the decisions and quarantine records.", `
input:
  redpanda:
    seed_brokers: [ "localhost:9092" ]
    topics: [ events.validated ]
    consumer_group: ebbgate-analytics
pipeline:
  processors:
    - consent:
        state:
          seed_brokers: [ "localhost:9092" ]
    - redact: {}
output:
  clickhouse:
    dsn: clickhouse://default@localhost:9000/default
    destination: analytics
    state:
      seed_brokers: [ "localhost:9092" ]
    records:
      redpanda:
        seed_brokers: [ "localhost:9092" ]
        topic: ${! @topic }
`)
}

const specDescription = `
It takes batches of the ` + "`redpanda`" + ` input as they are: one chunk, one batch, one insert. It has no batching of
its own, because a chunk that is cut again can no longer be recognised.

Records need a valid seal of the ` + "`redact`" + ` processor for ` + "`destination`" + `; wiring any other topic to it by mistake delivers
nothing. Make the tables with ` + "`ebbgate clickhouse apply`" + `, which also makes one view per event.

### Exactly once

Each insert carries a deduplication token that names its chunk, and ` + "`ebbgate_chunks`" + ` records the chunks that are in.
After a start, a lost connection or a pause the sink reads back what is there and inserts only what is missing. Repeats
that our own hops made are dropped. Repeats that a client made (the same event id sent twice) are rows of their own;
` + "`events_unique`" + ` shows each event once. A replay (epoch above 0) inserts only event ids the table does not have.

### Columns

A column is filled from a path of the event such as ` + "`properties.plan`" + `, or from what is known about the record:
` + "`@topic`, `@partition`, `@offset`, `@src_topic`, `@src_partition`, `@src_offset`, `@event_id`, `@correlation_id`, `@class`, `@policy_version`, `@consent_version`, `@replay_epoch`, `@inserted_at`" + `.
A path to an object or list in a String column gives its JSON. A path the event does not have gives NULL, or the type's default. A value that
does not fit the column's type sends its record to quarantine with the code ` + "`clickhouse.type`" + `.`

func outputFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringField(choFieldDSN).
			Description("Where ClickHouse is: `clickhouse://` (native protocol) or `http://`, `https://`. The user needs INSERT and SELECT on the table and on `ebbgate_chunks`, and SYSTEM SYNC REPLICA where they are Replicated. " +
				"Name one replica, or several in the order to try, and no balancer over replicas: what one has confirmed another may not have yet. (ClickHouse Cloud takes care of that itself.)").
			Secret().
			Example("clickhouse://ebbgate:${CLICKHOUSE_PASSWORD}@localhost:9000/analytics").
			Example("https://ebbgate:${CLICKHOUSE_PASSWORD}@example.clickhouse.cloud:8443/analytics"),
		service.NewStringField(choFieldDatabase).Description("The database, where the DSN names none or another.").Default("").Advanced(),
		service.NewStringField(choFieldTable).Description("The table.").Default("events"),
		service.NewStringField(choFieldDestination).Description("The destination of the policy whose records this output may write.").Example("analytics"),
		service.NewStringMapField(choFieldColumns).
			Description("Columns beyond the shipped ones, or other sources for those: column name to event path or `@name`. The shipped columns are filled where the table has them.").
			Example(map[string]any{"plan": "properties.plan", "invoice_lines": "properties.items"}).
			Default(map[string]any{}),
		service.NewStringEnumField(choFieldCompression, string(clickhouse.LZ4), string(clickhouse.ZSTD), string(clickhouse.None)).
			Description("How inserts are compressed. `none` is cheapest where the server is on the same machine.").
			Default(string(clickhouse.LZ4)).Advanced(),
		service.NewDurationField(choFieldInsertTimeout).
			Description("How long one insert or query may take. Then its outcome is unknown and is read back.").
			Default("30s").Advanced().LintRule(kafka.DurationRule),
		service.NewIntField(choFieldMaxInFlight).
			Description("How many chunks, of different partitions, are written at a time.").
			Default(4).LintRule(`root = if this < 1 { "max_in_flight must be at least 1" }`),
		service.NewOutputField(choFieldRecords).
			Description("Where records go that are no rows here: a decision for each event that is denied at export, and in a stream that judges and delivers at once also its decisions, quarantine records and the records of other destinations. A chunk is delivered only once they are durable. Without it denials at export stand in `ebbgate_chunks` alone, where no audit finds them, and a stream that judges and delivers at once waits.").
			Optional(),
		hop.LogField(),
		state.ConfigField(),
		stage.WorkspaceField(),
		stage.ReloadField(),
	}
}

// config is what the output was told, checked.
type config struct {
	dsn         string
	database    string
	table       string
	destination string
	columns     map[string]string
	compression clickhouse.Compression
	timeout     time.Duration
	maxInFlight int
	// rules are those in force, and release gives them up; nil for decisions, which no policy judges again.
	rules   func() *exportRules
	release func()
	// paths are event paths the scanner should know besides those of columns.
	paths    []string
	verifier *seal.Verifier
	// audit is set where decisions are written, which have no destination, seal or consent of their own.
	audit  *audit
	lookup state.Lookup
	// records takes denials at export, and the messages that are no rows of the destination; nil where every message must be one.
	records *service.OwnedOutput
	// decisions is the topic for denials at export.
	decisions string
	log       *service.Logger
	tracer    *hop.Tracer
	hops      *hop.Log
}
