package all

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/redpanda-data/benthos/v4/public/service"
)

type componentKind string

const (
	kindInput     componentKind = "input"
	kindOutput    componentKind = "output"
	kindProcessor componentKind = "processor"
	kindBuffer    componentKind = "buffer"
)

// refusal is a stock component known to lose events or to carry them past the gate, and the safe way instead.
type refusal struct {
	kind componentKind
	name string
	why  string
	use  string
}

const (
	useRedpandaOutput = "write to a topic with the redpanda output (topic: ${! @topic }) and let a stream of its own deliver from there"
	useRouting        = "route by metadata inside one redpanda output (topic: ${! @topic })"
	useRedpandaInput  = "bring the events in through a topic and the redpanda input"
	useQuarantine     = "remove it: our processors turn what fails into quarantine records by themselves"
)

// refused is the list lint and run explain. Each reason was reproduced against the engine; docs/design.md tells how.
var refused = []refusal{
	{kindBuffer, "memory", "it acknowledges events before they are durable", "remove it: the broker is the buffer"},
	{kindBuffer, "system_window", "it acknowledges events before they are durable", "aggregate in ClickHouse"},

	{kindInput, "broker", "it mixes the chunks of several inputs in one batch", "run one stream per input"},
	{kindInput, "batched", "it mixes several chunks in one batch", "set chunk_offsets and chunk_period on the redpanda input"},
	{kindInput, "dynamic", "it lets an API change what is read", "run one stream per input"},
	{kindInput, "http_server", "a query parameter can replace its headers, bodies are unbounded, and it answers 408 for events it later delivers", useRedpandaInput},
	{kindInput, "http_client", "it has no position to resume from", useRedpandaInput},
	{kindInput, "inproc", "its hand-over is not durable", "join streams by a topic"},
	{kindInput, "read_until", "a check of it that fails prints the event to the log", "stop the stream, or count on the consumer group's position"},
	{kindInput, "socket", "it acknowledges nothing", useRedpandaInput},
	{kindInput, "socket_server", "it acknowledges nothing", useRedpandaInput},
	{kindInput, "subprocess", "it acknowledges nothing", useRedpandaInput},
	{kindInput, "websocket", "it acknowledges nothing", useRedpandaInput},

	{kindOutput, "broker", "one dead destination stalls the others, and fan_out_fail_fast acknowledges what was not delivered", useRouting},
	{kindOutput, "cache", "it writes events without a seal", useRedpandaOutput},
	{kindOutput, "drop", "it acknowledges events and throws them away", useRedpandaOutput},
	{kindOutput, "drop_on", "it acknowledges events that were not delivered", "let the input replay: transient errors wait, permanent ones are quarantined"},
	{kindOutput, "dynamic", "it lets an API change where events go", useRouting},
	{kindOutput, "fallback", "it writes events to a second place that no policy knows", useRouting},
	{kindOutput, "file", "it writes events without a seal", useRedpandaOutput},
	{kindOutput, "http_client", "it sends events without a seal", useRedpandaOutput},
	{kindOutput, "http_server", "it serves events without a seal", useRedpandaOutput},
	{kindOutput, "inproc", "its hand-over is not durable", "join streams by a topic"},
	{kindOutput, "reject_errored", "it splits a batch and can lose the part that failed to write", useQuarantine},
	{kindOutput, "retry", "it retries outside the input, which alone knows the chunk", "remove it: the redpanda input replays the chunk"},
	{kindOutput, "socket", "it sends events without a seal", useRedpandaOutput},
	{kindOutput, "stdout", "it prints events without a seal", useRedpandaOutput},
	{kindOutput, "subprocess", "it hands events to a program without a seal", useRedpandaOutput},
	{kindOutput, "switch", "it splits a batch and can acknowledge the part that failed to write", useRouting},
	{kindOutput, "sync_response", "it returns events without a seal", useRedpandaOutput},
	{kindOutput, "websocket", "it sends events without a seal", useRedpandaOutput},

	{kindProcessor, "archive", "it joins the events of a chunk into one, and the others are no longer accounted for", "keep one message per event"},
	{kindProcessor, "benchmark", "it prints to the log per message", "read the metrics"},
	{kindProcessor, "bounds_check", "it drops the batch without a word when it is out of bounds", "set limits on strict_json: what breaks them is quarantined"},
	{kindProcessor, "cached", "a check or key of it that fails prints the event to the log", "look up with the cache processor in a branch"},
	{kindProcessor, "catch", "it clears the failure and lets the original event go on", useQuarantine},
	{kindProcessor, "command", "it hands events to a program", "map in Bloblang or write a plugin"},
	{kindProcessor, "crash", "one event stops the process", useQuarantine},
	{kindProcessor, "dedupe", "it marks an event as seen before it is durable, so a retry is lost", "remove it: the sinks drop repeats by position and event_id"},
	{kindProcessor, "group_by", "it cuts a chunk into parts", useRouting},
	{kindProcessor, "group_by_value", "it cuts a chunk into parts", useRouting},
	{kindProcessor, "http", "it sends events without a seal", "look state up in the consent processor, or write a sink"},
	{kindProcessor, "insert_part", "it adds a message that no record stands for", "generate events into a topic"},
	{kindProcessor, "log", "it can print values", "read the metrics and the decisions topic"},
	{kindProcessor, "metric", "its labels and values can quote the event", "read the metrics of our components"},
	{kindProcessor, "select_parts", "it drops part of every chunk", "filter with a mapping, by content"},
	{kindProcessor, "sleep", "a period that fails prints the event to the log", "set chunk_period on the redpanda input, or use rate_limit"},
	{kindProcessor, "split", "it cuts a chunk into parts", "set chunk_offsets on the redpanda input"},
	{kindProcessor, "subprocess", "it hands events to a program", "map in Bloblang or write a plugin"},
	{kindProcessor, "sync_response", "it returns events without a seal", useRedpandaOutput},
	{kindProcessor, "try_catch", "it clears the failure, and the mark of an event that waits for state", useQuarantine},
	{kindProcessor, "while", "a check that fails prints the event to the log and lets it go on", "use a recursive Bloblang map"},
	{kindProcessor, "workflow", "a branch of it that fails prints the event to the log", "write the branches one after the other"},
}

func (r refusal) message() string {
	return fmt.Sprintf("%s %q is refused: %s; instead: %s (or run with --unsafe-components)", r.kind, r.name, r.why, r.use)
}

func (r refusal) register(env *service.Environment) error {
	spec := service.NewConfigSpec().
		Deprecated().
		Summary("Refused: " + r.why + ".").
		Description("Instead: " + r.use + ".").
		Field(service.NewAnyField("").Default(map[string]any{})).
		LintRule("root = " + strconv.Quote(r.message()))
	err := errors.New(r.message())
	switch r.kind {
	case kindInput:
		return env.RegisterBatchInput(r.name, spec, func(*service.ParsedConfig, *service.Resources) (service.BatchInput, error) {
			return nil, err
		})
	case kindOutput:
		return env.RegisterBatchOutput(r.name, spec, func(*service.ParsedConfig, *service.Resources) (service.BatchOutput, service.BatchPolicy, int, error) {
			return nil, service.BatchPolicy{}, 0, err
		})
	case kindProcessor:
		return env.RegisterBatchProcessor(r.name, spec, func(*service.ParsedConfig, *service.Resources) (service.BatchProcessor, error) {
			return nil, err
		})
	default:
		return env.RegisterBatchBuffer(r.name, spec, func(*service.ParsedConfig, *service.Resources) (service.BatchBuffer, error) {
			return nil, err
		})
	}
}
