package e2e

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/quarantine"
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

// copies are the ways to bring a sealed record where it does not belong, with the code each is refused under.
var copies = []struct {
	name     string
	from, to string
	change   func(*kgo.Record)
	code     string
}{
	{"to another destination", analytics, warehouse, nil, "seal.mismatch"},
	{"from another", activation, analytics, nil, "seal.mismatch"},
	{"to another, renamed", analytics, warehouse, func(r *kgo.Record) {
		set(r, "ebbgate_destination", "warehouse")
		set(r, "ebbgate_topic", warehouse)
	}, "seal.mismatch"},
	{"to another, half renamed", analytics, warehouse, func(r *kgo.Record) { set(r, "ebbgate_topic", warehouse) }, "seal.destination"},
	{"with other bytes", analytics, analytics, func(r *kgo.Record) { r.Value = bytes.Replace(r.Value, []byte("demo"), []byte("DEMO"), 1) }, "seal.mismatch"},
	{"with other spaces", analytics, analytics, func(r *kgo.Record) { r.Value = append(bytes.Clone(r.Value), ' ') }, "seal.mismatch"},
	{"under another person", analytics, analytics, func(r *kgo.Record) { r.Key = []byte("sk1.other") }, "seal.mismatch"},
	{"as of another person", analytics, analytics, func(r *kgo.Record) {
		set(r, "subject_key", "sk1.other")
		r.Key = []byte("sk1.other")
	}, "seal.mismatch"},
	{"as another event", analytics, analytics, func(r *kgo.Record) { set(r, "event_id", "evt_9") }, "seal.mismatch"},
	{"as from elsewhere", analytics, analytics, func(r *kgo.Record) { set(r, "src_offset", "9") }, "seal.mismatch"},
	{"with nothing relied on", analytics, analytics, func(r *kgo.Record) { set(r, "ebbgate_requires", "") }, "seal.mismatch"},
	{"without its destination", analytics, analytics, func(r *kgo.Record) { set(r, "ebbgate_destination", "") }, "seal.destination"},
	{"without its seal", analytics, analytics, func(r *kgo.Record) { set(r, "ebbgate_seal", "") }, "seal.missing"},
}

// Whoever can write to a topic can copy records there. A seal holds for one destination, one topic and exactly its bytes.
func TestSealedRecordsCopiedByHandDeliverNothing(t *testing.T) {
	h := newHouse(t)
	h.publish(validated, form("evt_1", "u_1"))
	govern := h.start("streams", "-o", "pipelines/service.yaml", "pipelines/streams/govern.yaml")
	h.drained(books.Stage{Topic: validated, Group: "ebbgate-govern"})
	govern.stop()
	sealed := map[string]*kgo.Record{}
	for _, topic := range []string{analytics, warehouse, activation} {
		records := h.records(topic)
		require.Len(t, records, 1, topic)
		sealed[topic] = records[0]
	}
	want := map[place]string{}
	for _, c := range copies {
		good := sealed[c.from]
		rec := &kgo.Record{Topic: c.to, Key: good.Key, Value: good.Value, Headers: slices.Clone(good.Headers)}
		if c.change != nil {
			c.change(rec)
		}
		h.produce(rec)
		want[place{rec.Topic, rec.Partition, rec.Offset}] = c.code
	}
	for topic, destination := range map[string]string{analytics: "analytics", warehouse: "warehouse"} {
		p := h.deliver(topic, destination)
		p.stop()
		require.NotContains(t, p.log(), secret)
		require.Contains(t, p.log(), "seal.mismatch")
	}
	found := map[place]string{}
	for _, rec := range h.records(dlq) {
		q, err := quarantine.ParseRecord(rec.Value)
		require.NoError(t, err)
		found[place{q.Ref.Topic, q.Ref.Partition, q.Ref.Offset}] = q.Code
	}
	require.Equal(t, want, found)
	require.Equal(t, map[string]int{"evt_1": 2}, h.rows(), "each destination has what was sealed for it, and no copy")
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
