package redpanda

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// Fields of the output. Names that Redpanda Connect has are used as it uses them.
const (
	roFieldTopic       = "topic"
	roFieldKey         = "key"
	roFieldPartitioner = "partitioner"
	roFieldMetadata    = "metadata"
	roFieldCompression = "compression"
	roFieldMaxBytes    = "max_message_bytes"
	roFieldTimeout     = "timeout"
	roFieldMaxInFlight = "max_in_flight"
	roFieldIdempotent  = "idempotent_write"
	roFieldWorkspace   = "workspace"

	partitionerMurmur2    = "murmur2_hash"
	partitionerRoundRobin = "round_robin"
	partitionerSticky     = "least_backup"
)

func outputSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Services").
		Version("0.1.0").
		Summary("Writes messages to topics. A batch succeeds when every record of it is durable, and fails as a whole otherwise.").
		Description(`
Records are produced in the order of the batch, by an idempotent producer, and acknowledged by all in-sync replicas.

What it refuses, so that nothing is delivered which was not allowed:

- a message that waits for state which is unavailable. Its batch waits with it and is replayed.
- a message that a processor failed on and no stage has dealt with (`+"`upstream_failed`"+`).
- a message for the topic of a destination in `+"`topics.yaml`"+` that was not sealed in this process for this destination, topic and
  key, or whose bytes have changed since (`+"`seal.missing seal.destination seal.bytes_changed`"+`).
- a sealed message for any other topic.
- an event for the topic with role `+"`validated`"+` of which the `+"`consent`"+` processor, at `+"`stage: validate`"+`, did not say in this process that
  exactly this may be stored (`+"`output.unjudged`"+`).
- a message without a topic (`+"`output.topic`"+`), or larger than its topic takes (`+"`output.too_large`"+`). A sealed record that is too large becomes a
  quarantine record that names its destination, and the event's other records are written.

All but the first can never succeed. They are reported with the position they were read at, and the input moves them to
quarantine.

Every record carries the headers `+"`event_id subject_key correlation_id content_digest`"+`, as far as the message has them, and
`+"`src_topic src_partition src_offset`"+`, where it entered the pipelines. Records of a destination carry the seal. Where the process has a tracer, records of traced events
carry `+"`traceparent`"+` beside it.

### Metrics

`+"`ebbgate_output_records_total{topic} ebbgate_output_unwritten_total{topic} ebbgate_output_settled_total ebbgate_output_refused_total{topic,code} ebbgate_output_failed_batches_total`"+`.`).
		Fields(kafka.ClientFields()...).
		Fields(outputFields()...).
		Example("The end of a stage", "Events, quarantine records and decisions go where the stages have addressed them.", `
output:
  redpanda:
    seed_brokers: [ "127.0.0.1:9092" ]
    topic: ${! @topic }
`)
}

func outputFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewInterpolatedStringField(roFieldTopic).
			Description("The topic of each message. Stages put it into the metadata `topic`.").
			Example("${! @topic }").Example("events.raw"),
		service.NewInterpolatedStringField(roFieldKey).
			Description("The key of each record. `null` or nothing: none.").
			Default("${! @key }"),
		service.NewStringAnnotatedEnumField(roFieldPartitioner, map[string]string{
			partitionerMurmur2:    "By key, as the Java client does it; keyless records in turn.",
			partitionerRoundRobin: "In turn. Gives up the order of a subject's events.",
			partitionerSticky:     "To the partition with the fewest records waiting. Gives up the order of a subject's events.",
		}).Description("How a record's partition is chosen.").Default(partitionerMurmur2).Advanced(),
		service.NewMetadataFilterField(roFieldMetadata).
			Description("Metadata to write as headers, beside those that are always written.").Optional().Advanced(),
		service.NewStringEnumField(roFieldCompression, "lz4", "snappy", "gzip", "zstd", "none").
			Description("How batches of records are compressed.").Default("lz4").Advanced(),
		service.NewStringField(roFieldMaxBytes).
			Description("The largest record for topics whose limit neither the broker nor `topics.yaml` tells.").
			Default("1MiB").Advanced().LintRule(sizeRule),
		service.NewDurationField(roFieldTimeout).
			Description("How long the broker may take for one request. A batch that is not durable after six times as long fails and is replayed.").
			Default("10s").Advanced().LintRule(kafka.DurationRule),
		service.NewIntField(roFieldMaxInFlight).
			Description("How many batches are written at a time. Order holds, because the input hands out one chunk of a partition at a time.").
			Default(64).LintRule(`root = if this < 1 { "max_in_flight must be at least 1" }`),
		service.NewBoolField(roFieldIdempotent).
			Description("Always true: without it a retried request may write its records twice or out of order.").
			Default(true).Advanced().LintRule(`root = if this == false { "idempotent_write cannot be turned off" }`),
		hop.LogField(),
		stage.WorkspaceField(),
	}
}
