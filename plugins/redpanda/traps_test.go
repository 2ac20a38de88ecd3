package redpanda

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// The engine's traps, with our input and output in place. Each composition loses, leaks or acknowledges something with
// stock parts; here nothing may be committed that is not durable.

// compositions are what a user may put between the two.
var compositions = []struct {
	name       string
	processors []string
	output     string            // %s is the redpanda output, indented
	keeps      func(string) bool // whether a value reaches the topic
}{
	{"nothing", nil, "%s", all},
	{"a mapping that filters", []string{`mapping: root = if content().string().has_suffix("3") { deleted() }`}, "%s", without3},
	{"for_each that filters", []string{`for_each: [ { mapping: 'root = if content().string().has_suffix("3") { deleted() }' } ]`}, "%s", without3},
	{"filter, then split", []string{`mapping: root = if content().string().has_suffix("3") { deleted() }`, `split: { size: 1 }`}, "%s", without3},
	{"split", []string{`split: { size: 2 }`}, "%s", all},
	{"group_by", []string{`group_by: [ { check: 'content().string().has_suffix("1")', processors: [] } ]`}, "%s", all},
	{"switch output", nil, "switch:\n  cases:\n    - check: 'content().string().has_suffix(\"1\")'\n      output:\n%[1]s\n    - output:\n%[1]s", all},
	{"reject_errored", nil, "reject_errored:\n%s", all},
	{"reject_errored after a filter", []string{`mapping: root = if content().string().has_suffix("3") { deleted() }`}, "reject_errored:\n%s", without3},
	{"several threads", []string{`mapping: root = content()`}, "%s", all},
}

func all(string) bool        { return true }
func without3(v string) bool { return !strings.HasSuffix(v, "3") }
func deepen(yaml string) string {
	return strings.ReplaceAll(indent(indent(indent(indent(yaml)))), "\t", " ")
}

func TestTrapsLoseNothingWhenWritesFailInPart(t *testing.T) {
	for _, c := range compositions {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1)
			// Records go to two topics, one of which fails at first: part of every batch is written.
			failing := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "inbound.more", Err: kerr.TopicAuthorizationFailed, Count: 2})
			values := numbered("v", 24)
			b.produce("events.raw", 0, values...)
			output := b.outputYAML(`${! if content().string().has_suffix("2") || content().string().has_suffix("3") { "inbound.more" } else { "inbound.copies" } }`, "")
			if c.output != "%s" {
				output = fmt.Sprintf(c.output, deepen(output))
			}
			b.stream(b.inputYAML("chunk_offsets: 8\nchunk_period: 20ms"), processorList(c.processors), output, nil)
			require.NoError(t, failing.Wait(b.ctx(), 2))
			b.waitCommitted("g", "events.raw", 0, 24)

			there := map[string]bool{}
			for _, name := range []string{"inbound.copies", "inbound.more"} {
				for _, rec := range b.read(name, int(b.end(name))) {
					there[string(rec.Value)] = true
				}
			}
			for _, v := range values {
				assert.Equal(t, c.keeps(v), there[v], "%s", v)
			}
		})
	}
}

func processorList(list []string) string {
	if len(list) == 0 {
		return ""
	}
	if len(list) == 1 {
		return list[0]
	}
	return "processors:\n  - " + strings.Join(list, "\n  - ")
}

// A processor that fails lets the original go on. The output must not write it: without a quarantine the chunk waits.
func TestTrapAFailedProcessorWritesNothing(t *testing.T) {
	for _, processors := range []string{
		`mapping: root = if content().string() == "v1" { throw("boom") } else { "clean" }`,
		`processors: [ { mapping: 'root = if content().string() == "v1" { throw("boom") } else { content() }' }, { mapping: 'root = "clean"' } ]`,
		`for_each: [ { mapping: 'root = if content().string() == "v1" { throw("boom") } else { "clean" }' } ]`,
		`try: [ { mapping: 'root = if content().string() == "v1" { throw("boom") } else { "clean" }' } ]`,
	} {
		t.Run(processors[:12], func(t *testing.T) {
			b := newBench(t, 1)
			b.produce("events.raw", 0, "v0", "v1", "v2")
			counted := make(chan struct{}, 64)
			in := b.inputYAML("chunk_period: 20ms\nquarantine: { topic: '' }")
			env := environment(t)
			require.NoError(t, env.RegisterBatchProcessor("count", service.NewConfigSpec(), func(*service.ParsedConfig, *service.Resources) (service.BatchProcessor, error) {
				return counter(func() {
					select {
					case counted <- struct{}{}:
					default:
					}
				}), nil
			}))
			builder := env.NewStreamBuilder()
			require.NoError(t, builder.SetLoggerYAML("level: NONE"))
			require.NoError(t, builder.AddInputYAML(in))
			require.NoError(t, builder.AddProcessorYAML("count: {}"))
			require.NoError(t, builder.AddProcessorYAML(processors))
			require.NoError(t, builder.AddOutputYAML(b.outputYAML("inbound.copies", "")))
			b.run(builder)
			for range 3 { // handed out again and again
				select {
				case <-counted:
				case <-time.After(waitLong):
					t.Fatal("the chunk is not replayed")
				}
			}
			at, _ := b.committed("g", "events.raw", 0)
			assert.EqualValues(t, 0, at)
			assert.Zero(t, b.end("inbound.copies"), "neither the original nor its neighbours")
		})
	}
}

// With one, the event it failed on goes there, encrypted, and its neighbours go on as the processor made them.
func TestTrapAFailedProcessorQuarantinesItsEventAlone(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, "v0", "v1", "v2")
	b.stream(b.inputYAML("chunk_period: 20ms"), `mapping: root = if content().string() == "v1" { throw("boom") } else { "clean" }`,
		b.outputYAML("inbound.copies", ""), nil)
	b.waitCommitted("g", "events.raw", 0, 3)
	q, err := quarantine.ParseRecord(b.read("events.dlq", 1)[0].Value)
	require.NoError(t, err)
	assert.Equal(t, stage.CodeUpstreamFailed, q.Code)
	assert.Equal(t, refs(1)[0], q.Ref)
	for _, rec := range b.read("inbound.copies", 2) {
		assert.Equal(t, "clean", string(rec.Value))
	}
	assert.EqualValues(t, 2, b.end("inbound.copies"))
}

// The permanent error of an output reaches the input through whatever the engine wraps around it.
func TestTrapPermanentErrorsArriveThroughTheEngine(t *testing.T) {
	for _, c := range compositions {
		if strings.Contains(c.output, "switch") {
			continue // two children: the sink of this test stands once
		}
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1)
			b.produce("events.raw", 0, numbered("v", 6)...)
			s := &sink{answer: func(batch service.MessageBatch) error {
				for _, msg := range batch {
					ref, ok := stage.Source(msg)
					if ok && ref.Offset == 4 && !stage.Settled(msg) {
						return &stage.PermanentError{Code: "sink.rejected", Refs: []quarantine.Ref{ref}, Err: errors.New("rejected")}
					}
				}
				return nil
			}}
			output := "test_sink: {}"
			if c.output != "%s" {
				output = fmt.Sprintf(c.output, deepen(output))
			}
			b.stream(b.inputYAML("chunk_period: 20ms\nquarantine: { max_attempts: 2 }"), processorList(c.processors), output, s)
			b.waitCommitted("g", "events.raw", 0, 6)
			assert.EqualValues(t, 1, b.end("events.dlq"))
			for _, v := range []string{"v0", "v1", "v2", "v5"} {
				assert.Contains(t, s.rows(), v)
			}
			assert.NotContains(t, s.rows(), "v4")
		})
	}
}

type counter func()

func (c counter) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	c()
	return []service.MessageBatch{batch}, nil
}

func (counter) Close(context.Context) error { return nil }
