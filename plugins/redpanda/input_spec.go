package redpanda

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// Fields of the input. Names that Redpanda Connect has are used as it uses them.
const (
	riFieldTopics            = "topics"
	riFieldGroup             = "consumer_group"
	riFieldInstanceID        = "instance_id"
	riFieldStartOffset       = "start_offset"
	riFieldStartFromOldest   = "start_from_oldest"
	riFieldBalancer          = "group_balancer"
	riFieldSessionTimeout    = "session_timeout"
	riFieldRebalanceTimeout  = "rebalance_timeout"
	riFieldHeartbeat         = "heartbeat_interval"
	riFieldFetchMaxBytes     = "fetch_max_bytes"
	riFieldFetchMaxPartBytes = "fetch_max_partition_bytes"
	riFieldFetchMaxWait      = "fetch_max_wait"

	riFieldChunkOffsets = "chunk_offsets"
	riFieldChunkBytes   = "chunk_bytes"
	riFieldChunkPeriod  = "chunk_period"
	riFieldMemoryLimit  = "memory_limit"
	riFieldPacked       = "packed"
	riFieldReplayEpoch  = "replay_epoch"

	riFieldWorkspace = "workspace"

	riFieldQuarantine         = "quarantine"
	riFieldQuarantineTopic    = "topic"
	riFieldQuarantineAttempts = "max_attempts"
	riFieldQuarantineStage    = "stage"

	startEarliest = "earliest"
	startLatest   = "latest"

	balancerCooperative = "cooperative"
	balancerEager       = "eager"
	balancerServer      = "server"
)

const sizeRule = `root = if this.type() == "string" && !this.re_match("^[0-9]+ ?([kKMG]i?)?B?$") { "expected a size such as 512KiB or 4MiB" }`

const inputRule = `root = if this.chunk_offsets.or(1) < 1 || this.chunk_offsets.or(1) > 16384 { "chunk_offsets must be at least 1 and at most 16384" }`

func inputSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Services").
		Version("0.1.0").
		Summary("Reads topics as a member of a consumer group, in chunks that come back the same after any failure.").
		Description(`
A chunk is a range of offsets of one partition and becomes one batch. A full chunk ends before the next multiple of
`+"`chunk_offsets`"+`, or at the record with which it reaches `+"`chunk_bytes`"+`. When nothing more is to be read and
`+"`chunk_period`"+` has passed, the chunk ends early, and where it ends is written into the metadata of the group's offset
commit before anyone sees it. A restart or the partition's next owner cuts the same chunk again, so that outputs can
recognise what they have already written.

One chunk per partition is under way at a time. It is committed when all of it is acknowledged. A failed batch is replayed
whole, with a growing pause, for as long as it takes (`+"`auto_replay_nacks`"+` of other inputs is always on and cannot be
turned off). Only errors that an output calls permanent are counted: after `+"`quarantine.max_attempts`"+` the records they
name are written, encrypted, to the quarantine topic, and the rest of the same chunk goes on.

The input stops with an error, and does not skip, when the broker no longer has the group's offset.

### Metadata

`+"`kafka_topic kafka_partition kafka_offset kafka_key kafka_timestamp_ms`"+`, all text, and one entry per record header. Headers
cannot set `+"`topic`"+`, `+"`key`"+` or the names above, and `+"`traceparent`"+` does not become metadata: the tracer reads it. What mappings do to `+"`src_topic`, `src_partition` and `src_offset`"+`, where
an event entered the pipelines, changes nothing.

### Metrics

`+"`ebbgate_input_chunks_total ebbgate_input_records_total ebbgate_input_replays_total{topic,kind} ebbgate_input_commit_errors_total ebbgate_quarantined_total{stage,code} ebbgate_input_lag{topic,partition} ebbgate_input_oldest_unread_timestamp_seconds{topic,partition} ebbgate_input_retention_seconds{topic}`"+`.`).
		Fields(kafka.ClientFields()...).
		Fields(groupFields()...).
		Fields(fetchFields()...).
		Fields(chunkFields()...).
		LintRule(inputRule).
		Example("One stage of the flow", "The events that validation let through, read by the group of the next stage.", `
input:
  redpanda:
    seed_brokers: [ "127.0.0.1:9092" ]
    topics: [ events.validated ]
    consumer_group: ebbgate-govern
`).
		Example("Within 256 MB", "Chunk sizes that follow from how much memory the process may use.", `
input:
  redpanda:
    seed_brokers: [ "127.0.0.1:9092" ]
    topics: [ events.authorized.analytics ]
    consumer_group: ebbgate-analytics
    memory_limit: 32MiB
`)
}

func groupFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringListField(riFieldTopics).
			Description("The topics to read, all partitions of each.").
			Example([]string{"events.raw"}).
			LintRule(`root = if this.type() == "array" && this.length() == 0 { "name at least one topic" }`),
		service.NewStringField(riFieldGroup).
			Description("The consumer group. One per stream: a group shared by two streams gives each only a part of the events.").
			LintRule(`root = if this == "" { "consumer_group must not be empty: positions are kept by it" }`),
		service.NewStringField(riFieldInstanceID).
			Description("A name that stays the same over restarts of this member (static membership): a quick restart then moves no partitions.").
			Default("").Advanced(),
		service.NewStringAnnotatedEnumField(riFieldStartOffset, map[string]string{
			startEarliest: "The oldest record the broker has.",
			startLatest:   "Only what arrives from now on.",
		}).Description("Where to begin in a partition for which the group has no position.").Default(startEarliest),
		service.NewBoolField(riFieldStartFromOldest).
			Description("The older name of `start_offset`: true is earliest, false is latest.").
			Optional().Deprecated(),
		service.NewStringAnnotatedEnumField(riFieldBalancer, map[string]string{
			balancerCooperative: "Members keep the partitions that do not move.",
			balancerEager:       "Every rebalance takes all partitions from all members.",
			balancerServer:      "The broker assigns partitions (KIP-848); needs a broker that has it.",
		}).Description("How partitions are divided among the members of the group.").Default(balancerCooperative).Advanced(),
		groupDuration(riFieldSessionTimeout, "15s", "After how long without a heartbeat a member counts as gone, and its partitions go to others. It is how long a killed process is missed."),
		groupDuration(riFieldRebalanceTimeout, "45s", "How long members may take to give partitions back. A third of it is for chunks under way."),
		groupDuration(riFieldHeartbeat, "3s", "How often a member says that it is alive."),
	}
}

func groupDuration(name, fallback, description string) *service.ConfigField {
	return service.NewDurationField(name).Description(description).Default(fallback).Advanced().LintRule(kafka.DurationRule)
}

func fetchFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringField(riFieldFetchMaxBytes).
			Description("How much one fetch from one broker may hold.").Default("8MiB").Advanced().LintRule(sizeRule),
		service.NewStringField(riFieldFetchMaxPartBytes).
			Description("How much of one partition a fetch may hold.").Default("1MiB").Advanced().LintRule(sizeRule),
		groupDuration(riFieldFetchMaxWait, "500ms", "How long the broker may wait for something to return."),
	}
}

func chunkFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewIntField(riFieldChunkOffsets).
			Description("Full chunks end before the multiples of this number of offsets, at most 16384.").Default(4096),
		service.NewStringField(riFieldChunkBytes).
			Description("A chunk also ends at the record with which its keys, values and headers reach this size.").
			Default("4MiB").LintRule(sizeRule),
		service.NewDurationField(riFieldChunkPeriod).
			Description("How long the first record of a chunk may wait for the chunk to become full.").
			Default("1s").LintRule(kafka.DurationRule),
		service.NewStringField(riFieldMemoryLimit).
			Description("How much memory chunks may use, for up to six partitions per process; `chunk_offsets` and `chunk_bytes` then follow from it and are ignored, and fetches are bounded by it as well.").
			Optional().Example("96MiB").LintRule(sizeRule),
		service.NewBoolField(riFieldPacked).
			Description("Hands each chunk to the engine as one message, which costs less CPU per event (`make bench` says how much). For streams whose processors and outputs are all of this distribution: `strict_json`, `identity`, `contract`, `consent`, `redact`, `redpanda` and `clickhouse` look inside, nobody else can. A chunk that another component rewrites or drops is replayed until the component, or `packed`, is taken out; where another processor fails on it, all its events go to quarantine. The engine's own metrics then count chunks.").
			Default(false).Advanced(),
		service.NewStringField(riFieldReplayEpoch).
			Description("The epoch that outputs make part of a chunk's identity. `ebbgate replay` sets it; 0 is the live stream.").
			Default("0").Advanced().
			LintRule(`root = if this.type() == "string" && !this.re_match("^(0|[1-9][0-9]{0,8})$") { "expected a whole number" }`),
		service.NewObjectField(riFieldQuarantine,
			service.NewStringField(riFieldQuarantineTopic).
				Description("The topic for records that an output calls undeliverable. Empty: such records block their partition.").
				Default("events.dlq"),
			service.NewIntField(riFieldQuarantineAttempts).
				Description("How many times a record must have failed permanently.").Default(3).
				LintRule(`root = if this < 1 { "max_attempts must be at least 1" }`),
			service.NewStringField(riFieldQuarantineStage).
				Description("The stage named in the quarantine record.").Default("deliver").Advanced(),
		).Description("What happens to records that can never be delivered."),
		stage.WorkspaceField().Advanced(),
	}
}
