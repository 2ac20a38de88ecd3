package all

import (
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/plugins/mapping"
)

// The stock components a pipeline may use. Everything else of the engine is either unknown to the binary or listed in
// refused.go, where its name still exists so that lint and run can say what to use instead.
var (
	allowedInputs     = []string{"collector", "csv", "file", "generate", "redpanda", "resource", "sequence", "stdin", "webhook"}
	allowedOutputs    = []string{"clickhouse", "clickhouse_audit", "redpanda", "reject", "resource", "staging"}
	allowedProcessors = []string{
		"bloblang", "branch", "cache", "compress", "decompress", "for_each", "grok", "jmespath", "jq",
		"json_schema", "mapping", "mutation", "noop", "parallel", "parse_log", "processors", "rate_limit", "resource",
		"retry", "switch", "try", "unarchive",
		"strict_json", "identity", "contract", "consent", "redact", "quarantine", "repeats",
	}
	allowedBuffers  = []string{"none"}
	allowedCaches   = []string{"lru", "memory", "multilevel", "noop", "ttlru"}
	allowedScanners = []string{
		"chunker", "csv", "decompress", "json_array", "json_documents", "lines", "re_match", "skip_bom", "switch",
		"tar", "to_the_end",
	}
)

// refusedFunctions read what is no part of an event: files, such as that of the master keys, and the environment.
var refusedFunctions = []string{"env", "file", "file_rel"}

// Environment returns the components a pipeline may be built from. With unsafe set it is the whole engine plus our own
// components; without it, the allow-list, in which refused components exist only to explain themselves.
func Environment(unsafe bool) (*service.Environment, error) {
	if unsafe {
		return service.NewEnvironment(), nil
	}
	env, err := Allowed()
	if err != nil {
		return nil, err
	}
	for _, r := range refused {
		if err := r.register(env); err != nil {
			return nil, fmt.Errorf("registering the refusal of %s %s: %w", r.kind, r.name, err)
		}
	}
	return env, nil
}

// Allowed is Environment without those that exist only to explain themselves, for what lists components.
func Allowed() (*service.Environment, error) {
	env := service.NewEnvironment().
		WithInputs(allowedInputs...).
		WithOutputs(allowedOutputs...).
		WithProcessors(allowedProcessors...).
		WithBuffers(allowedBuffers...).
		WithCaches(allowedCaches...).
		WithScanners(allowedScanners...)
	env.UseBloblangEnvironment(bloblang.GlobalEnvironment().WithoutFunctions(refusedFunctions...))
	if err := mapping.Replace(env); err != nil {
		return nil, err
	}
	return env, nil
}
