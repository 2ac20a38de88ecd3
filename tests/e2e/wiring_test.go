package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
)

const (
	inputYAML = `
input:
  redpanda:
    seed_brokers: [ "${EBBGATE_BROKERS}" ]
    topics: [ TOPIC ]
    consumer_group: ebbgate-wrong
    chunk_period: 100ms
`
	clickhouseYAML = `
output:
  clickhouse:
    dsn: ${EBBGATE_CLICKHOUSE_DSN}
    destination: DESTINATION
    state:
      seed_brokers: [ "${EBBGATE_BROKERS}" ]
`
)

// deliver runs a stream of the test's own from a topic to ClickHouse until it has settled all of the topic.
func (h *house) deliver(topic, destination string) *process {
	h.t.Helper()
	file := h.write("wrong-"+topic+".yaml", strings.NewReplacer("TOPIC", topic, "DESTINATION", destination).Replace(inputYAML+clickhouseYAML))
	p := h.start("streams", "-o", "pipelines/service.yaml", file)
	h.drained(books.Stage{Topic: topic, Group: "ebbgate-wrong"})
	return p
}

func TestRawTopicWiredToClickHouseDeliversNothing(t *testing.T) {
	h := newHouse(t)
	h.publish(raw, form("evt_1", "u_1"), form("evt_2", "u_2"))
	p := h.deliver(raw, "analytics")
	require.Empty(t, h.rows())
	require.Equal(t, map[string]int{"seal.missing": 2}, h.codes())
	require.NotContains(t, p.log(), secret)
	require.Contains(t, p.log(), "seal.missing")
}

// Whoever can write to a topic can copy records there. A seal holds for one destination, one topic and exactly its bytes.
func TestSealedRecordsCopiedByHandDeliverNothing(t *testing.T) {
	cases := map[string]struct {
		from, to, destination string
		change                func(*kgo.Record)
		code                  string
	}{
		"to another destination":  {analytics, "events.authorized.warehouse", "warehouse", nil, "seal.mismatch"},
		"from another":            {"events.authorized.activation", analytics, "analytics", nil, "seal.mismatch"},
		"to another, renamed": {analytics, "events.authorized.warehouse", "warehouse", func(r *kgo.Record) {
			set(r, "ebbgate_destination", "warehouse")
			set(r, "ebbgate_topic", "events.authorized.warehouse")
		}, "seal.mismatch"},
		"to another, half renamed": {analytics, "events.authorized.warehouse", "warehouse", func(r *kgo.Record) {
			set(r, "ebbgate_topic", "events.authorized.warehouse")
		}, "seal.destination"},
		"with other bytes":        {analytics, analytics, "analytics", func(r *kgo.Record) { r.Value = []byte(strings.Replace(string(r.Value), "demo", "DEMO", 1)) }, "seal.mismatch"},
		"under another person":    {analytics, analytics, "analytics", func(r *kgo.Record) { r.Key = []byte("sk1.other") }, "seal.mismatch"},
		"as of another person":    {analytics, analytics, "analytics", func(r *kgo.Record) { set(r, "subject_key", "sk1.other"); r.Key = []byte("sk1.other") }, "seal.mismatch"},
		"with nothing relied on":  {analytics, analytics, "analytics", func(r *kgo.Record) { set(r, "ebbgate_requires", "") }, "seal.mismatch"},
		"without its destination": {analytics, analytics, "analytics", func(r *kgo.Record) { set(r, "ebbgate_destination", "") }, "seal.destination"},
		"without its seal":        {analytics, analytics, "analytics", func(r *kgo.Record) { set(r, "ebbgate_seal", "") }, "seal.missing"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.publish(validated, form("evt_1", "u_1"))
			govern := h.start("streams", "-o", "pipelines/service.yaml", "pipelines/streams/govern.yaml")
			h.drained(books.Stage{Topic: validated, Group: "ebbgate-govern"})
			govern.stop()
			good := h.records(test.from)
			require.Len(t, good, 1)
			// The topic as the attacker leaves it: the group has settled what was there.
			rec := &kgo.Record{Topic: test.to, Key: good[0].Key, Value: good[0].Value, Headers: slices.Clone(good[0].Headers)}
			if test.change != nil {
				test.change(rec)
			}
			before, err := h.end(test.to)
			require.NoError(t, err)
			h.produce(rec)
			p := h.deliver(test.to, test.destination)
			rows := 0
			for _, n := range h.rows() {
				rows += n
			}
			require.EqualValues(t, before, rows, "only what was sealed for the topic is in")
			require.Equal(t, map[string]int{test.code: 1}, h.codes())
			require.Contains(t, p.log(), test.code)
			require.NotContains(t, p.log(), secret)
		})
	}
}

func set(r *kgo.Record, name, value string) {
	for i := range r.Headers {
		if r.Headers[i].Key == name {
			r.Headers[i].Value = []byte(value)
		}
	}
}

// What would lose events or carry them past the gate is refused before anything runs, by run, streams and lint alike, with
// the reason and the way out.
func TestUnsafeConfigurationsAreRefused(t *testing.T) {
	t.Parallel()
	const start = "input: { redpanda: { seed_brokers: [ \"127.0.0.1:1\" ], topics: [ events.raw ], consumer_group: wrong } }\n"
	const consent = "pipeline: { processors: [ { consent: { stage: govern, state: STATE } } ] }\noutput: { reject: no }\n"
	state := func(yaml string) string { return start + strings.Replace(consent, "STATE", yaml, 1) }
	cases := map[string]struct {
		yaml string
		says []string
	}{
		"stock output":       {start + "output: { stdout: {} }\n", []string{"stdout", "without a seal", "redpanda output"}},
		"http output":        {start + "output: { http_client: { url: http://127.0.0.1:1 } }\n", []string{"http_client", "without a seal"}},
		"fallback":           {start + "output: { fallback: [ { reject: a }, { reject: b } ] }\n", []string{"fallback", "no policy knows"}},
		"stock buffer":       {start + "buffer: { memory: {} }\noutput: { reject: no }\n", []string{"memory", "before they are durable"}},
		"logging values":     {start + "pipeline: { processors: [ { log: { message: x } } ] }\noutput: { reject: no }\n", []string{"log", "can print values"}},
		"unknown component":  {start + "output: { kafka_franz: {} }\n", []string{"kafka_franz"}},
		"state of nothing":   {state("{}"), []string{"seed_brokers"}},
		"state of no static": {state("{ static: [] }"), []string{"seed_brokers"}},
		"state of two":       {state("{ seed_brokers: [ \"127.0.0.1:1\" ], static: [ { user_id: u } ] }"), []string{"static"}},
		"unknown destination": {
			start + "output: { clickhouse: { dsn: \"http://127.0.0.1:1/x\", destination: crm, state: { seed_brokers: [ \"127.0.0.1:1\" ] } } }\n",
			[]string{"no destination", "crm"},
		},
	}
	h := bare(t)
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			h := *h
			h.t = t
			file := h.write(strings.ReplaceAll(name, " ", "-")+".yaml", test.yaml)
			h.write("wrong-"+name+"/"+"stream.yaml", test.yaml)
			commands := map[string][]string{
				"lint": {"lint", file}, "run": {"run", file}, "streams": {"streams", "-o", "pipelines/service.yaml", "wrong-" + name},
			}
			if name == "unknown destination" {
				delete(commands, "lint") // lint looks at no policy
			}
			for command, args := range commands {
				p := h.start(args...)
				require.NotZero(t, p.ended(), "%s: %s", command, p.log())
				for _, text := range test.says {
					require.Contains(t, p.log(), text, command)
				}
			}
		})
	}
}

func TestShippedPipelinesPassLint(t *testing.T) {
	t.Parallel()
	h := bare(t)
	h.must(append([]string{"lint"}, h.streams()...)...)
}
