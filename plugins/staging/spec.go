package staging

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

const (
	soFieldDSN         = "dsn"
	soFieldDestination = "destination"
	soFieldTimeout     = "timeout"
	soFieldMaxInFlight = "max_in_flight"
)

func outputSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Services").
		Version("0.1.0").
		Summary("Stages the sealed records of one destination in PostgreSQL, from where Stitch pulls them without missing a row.").
		Description(specDescription).
		Fields(
			service.NewStringField(soFieldDSN).
				Description("The staging database, as the role that staging.yaml names as writer. Nothing is made here: `ebbgate staging apply` does that, as another user.").
				Secret().
				Example("postgres://stage_writer:${STAGING_PASSWORD}@db.example.com:5432/marketing_stage?sslmode=require"),
			service.NewStringField(soFieldDestination).Description("The destination of the policy whose records this output may stage; staging.yaml names the same.").Example("warehouse"),
			service.NewDurationField(soFieldTimeout).
				Description("How long one transaction may take, the wait for its turn and for consent included. Then it is rolled back and the chunk comes again.").
				Default("30s").Advanced().LintRule(kafka.DurationRule),
			service.NewIntField(soFieldMaxInFlight).
				Description("How many chunks, of different partitions, are prepared at a time. They are committed one after the other.").
				Default(2).Advanced().LintRule(`root = if this < 1 { "max_in_flight must be at least 1" }`),
			hop.LogField(),
			state.ConfigField(),
			stage.WorkspaceField(),
			stage.ReloadField(),
		).
		LintRule(state.Rule).
		Example("The warehouse", "The state topics are read as well: without them a withdrawal would not reach rows that are there already.", `
input:
  redpanda:
    seed_brokers: [ "localhost:9092" ]
    topics: [ events.authorized.warehouse, privacy.consent, privacy.suppression, privacy.erasures, identity.links ]
    consumer_group: ebbgate-warehouse
output:
  staging:
    dsn: postgres://stage_writer@localhost:5432/marketing_stage
    destination: warehouse
    state:
      seed_brokers: [ "localhost:9092" ]
`)
}

const specDescription = `
It takes batches of the ` + "`redpanda`" + ` input as they are: one chunk, one batch, one transaction. Which tables there are, and which events
fill them, stands in ` + "`staging.yaml`" + ` of the workspace; make them with ` + "`ebbgate staging apply`" + `. A database that differs from it is refused at
start-up, with what differs.

Records need a valid seal of the ` + "`redact`" + ` processor for ` + "`destination`" + `; wiring any other topic to it by mistake stages nothing.

### What a transaction does

It waits for its turn at the gate, so that ` + "`row_seq`" + ` grows in the order in which rows become visible. It reads consent, suppression and
erasure again, and leaves out what may no longer go. It copies the rows, merges them by primary key, notes its offsets and commits. Profiles
and facts keep what the latest event said, by its own time; events are kept as they are. What changes nothing touches no row, so a replay
makes Stitch load nothing.

### Withdrawal and erasure

Chunks of the topics with roles consent, suppression and erasures may come in the same stream, and must: for each key they name, the rows
of that subject are judged anew. Rows that may not stay become tombstones: ` + "`is_deleted`" + `, with every declared column and the subject emptied.
After a withdrawal a later event with consent fills them again; after an erasure nothing does.

### Values

A value that does not fit its column sends its record to quarantine with the code ` + "`staging.type`" + `, a missing one of a required column with
` + "`staging.required`" + `, and an event that names no fact, or has an id longer than 200 bytes, with ` + "`staging.key`" + `.`
