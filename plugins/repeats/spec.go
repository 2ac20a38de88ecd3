package repeats

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/repeats"
	"github.com/ebbgate/ebbgate/internal/stage"
)

const reFieldWindow = "window"

func processorSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Utility").
		Version("0.1.0").
		Summary("Takes out events that were sent again, and quarantines those that come under the id of another.").
		Description(`
Put it first, after a `+"`redpanda`"+` input: senders retry, and what they send again must not reach anybody twice. A record is compared with
the nearest one before it that has the same event id, in the same partition and within the last `+"`window`"+` offsets. With the same content
it goes no further; with other content it is quarantined as `+"`event.id_conflict`"+`.

The id is the header `+"`event_id`"+`, else the record's key. The content is the header `+"`content_digest`"+`, in which a door or the
`+"`identity`"+` processor says what the sender sent without what a retry changes, else the record's value.

A record with the header `+"`replay_id`"+` is sent through again on purpose and goes on. What a sender sends again after the first was
quarantined is a repeat like any other: mend the cause, then replay the one in quarantine.

Nothing is written down: at the start, and where another process had the partition in between, the window is read back from the
topic. Until that is done, events wait. What is further back than the window, or in another partition because it is about somebody else,
is not seen here; the views over a destination's table still show such an event once.

Metrics: `+"`ebbgate_repeats_removed_total{topic} ebbgate_id_conflicts_total{topic} ebbgate_repeats_read_back_total{topic}`"+`.`).
		Fields(kafka.ClientFields()...).
		Fields(
			service.NewIntField(reFieldWindow).
				Description("How many offsets of a partition are looked back. Each takes about 60 bytes of memory, for every partition this process reads.").
				Default(repeats.DefaultWindow).
				LintRule(`root = if this < 1 { "window must be at least 1" }`),
			stage.WorkspaceField(),
		).
		Example("The validate stage", "", `
input:
  redpanda:
    seed_brokers: [ "localhost:9092" ]
    topics: [ events.raw ]
    consumer_group: ebbgate-validate
pipeline:
  processors:
    - repeats:
        seed_brokers: [ "localhost:9092" ]
    - contract: {}
    - consent:
        stage: validate
        state:
          seed_brokers: [ "localhost:9092" ]
output:
  redpanda:
    seed_brokers: [ "localhost:9092" ]
    topic: ${! @topic }
    key: ${! @key }
`)
}

// Register adds the processor to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchProcessor("repeats", processorSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchProcessor, error) {
		return newProcessor(conf, mgr)
	})
}
