package trace_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/trace"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// house is a broker with the shipped topics.
type house struct {
	t      *testing.T
	client *kgo.Client
	opts   trace.Options
	clock  time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	seeds, _ := plugtest.Broker(t)
	text, err := os.ReadFile("../../pipelines/topics.yaml")
	require.NoError(t, err)
	set, err := topics.Parse(text, "topics.yaml")
	require.NoError(t, err)
	login, err := kafka.NewClient(kafka.Login{Seeds: seeds})
	require.NoError(t, err)
	h := &house{t: t, clock: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), opts: trace.Options{
		Client: login, Topics: set, Destinations: []string{"analytics", "warehouse", "activation"},
	}}
	h.client, err = kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(h.client.Close)
	admin := kadm.NewClient(h.client)
	for _, topic := range set.All() {
		if topic.Name == "ingest.receipts" {
			continue // a topic that does not exist is empty
		}
		res, err := admin.CreateTopic(h.ctx(), 2, 1, nil, topic.Name)
		require.NoError(t, err)
		require.NoError(t, res.Err)
	}
	return h
}

func (h *house) ctx() context.Context {
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	h.t.Cleanup(cancel)
	return ctx
}

// put produces a record a second after the one before, with headers as name and value in turn.
func (h *house) put(topic, value string, headers ...string) *kgo.Record {
	h.t.Helper()
	h.clock = h.clock.Add(time.Second)
	rec := &kgo.Record{Topic: topic, Partition: 1, Value: []byte(value), Timestamp: h.clock}
	for i := 0; i < len(headers); i += 2 {
		rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: headers[i], Value: []byte(headers[i+1])})
	}
	require.NoError(h.t, h.client.ProduceSync(h.ctx(), rec).FirstErr())
	return rec
}

func (h *house) find(id string) *trace.Trace {
	h.t.Helper()
	found, err := trace.Find(h.ctx(), id, h.opts)
	require.NoError(h.t, err)
	text, err := json.Marshal(found)
	require.NoError(h.t, err)
	require.NotContains(h.t, string(text), "canary", "a value is told")
	return found
}

func steps(e trace.Event) string {
	var list []string
	for _, s := range e.Steps {
		list = append(list, strings.TrimSpace(s.Outcome+" "+s.Destination))
	}
	return strings.Join(list, ", ")
}

// from are the lineage headers of a hop.
func from(id, correlation string, offset string) []string {
	return []string{"event_id", id, "correlation_id", correlation, "src_topic", "inbound.events", "src_partition", "1", "src_offset", offset}
}

func TestAnEventIsFollowedFromTheDoorToItsEnds(t *testing.T) {
	h := newHouse(t)
	h.put("inbound.events", `{"noise":"canary"}`)
	h.put("inbound.events", `{"event_name":"canary"}`, "event_id", "evt_other")
	h.put("events.raw", `{}`, from("evt_1", "req_1", "1")...)
	h.put("events.validated", `{}`, from("evt_1", "req_1", "1")...)
	h.put("events.authorized.analytics", `{"p":"canary"}`, append(from("evt_1", "req_1", "1"), "ebbgate_policy", "v1", "ebbgate_consent_version", "7")...)
	d := consent.Decision{EventID: "evt_1", Destination: "activation", Verdict: consent.Denied, Reason: "event.unlisted", Rule: "policy.yaml:9", Policy: "v1", Stage: "govern"}
	h.put("privacy.decisions", string(d.Append(nil)))
	h.put("events.raw", `{}`, from("evt_2", "req_1", "9")...)

	found := h.find("evt_1")
	require.Len(t, found.Events, 1)
	e := found.Events[0]
	require.Equal(t, "received, accepted, stored, authorized analytics, denied activation", steps(e))
	require.Equal(t, []trace.End{{Destination: "analytics", Outcome: "authorized"}, {Destination: "warehouse", Outcome: "waiting"}, {Destination: "activation", Outcome: "denied", Reason: "event.unlisted"}}, e.Ends)
	require.Equal(t, &trace.Position{Topic: "inbound.events", Partition: 1, Offset: 1}, e.Steps[0].Position)
	require.Equal(t, []string{"v1", "7"}, []string{e.Steps[3].Policy, e.Steps[3].ConsentVersion})

	both := h.find("req_1")
	require.Len(t, both.Events, 2)
	require.Equal(t, "accepted", steps(both.Events[1]))

	h.opts.Since = h.clock
	require.Empty(t, h.find("evt_1").Events, "it is older than the search")
	none := h.find("evt_never")
	require.Contains(t, none.Search.String(), "events.authorized.activation")
	require.Contains(t, none.Search.String(), "(--since)")
}

func TestEventsWithoutIDsAreFoundByWhereTheyEntered(t *testing.T) {
	h := newHouse(t)
	raw := h.put("events.raw", `{"event_name":"canary"}`) // no headers, no id
	h.put("events.validated", `{}`, "event_id", "evt_derived", "src_topic", "events.raw", "src_partition", "1", "src_offset", "0")
	require.Equal(t, "accepted, stored", steps(h.find("evt_derived").Events[0]))
	require.NotNil(t, raw)

	h.put("inbound.events", `{"event_name":"canary","event_id":"evt_sent","context":{"correlation_id":"req_7"}}`)
	h.put("inbound.events", `{"event_name":"canary","properties":{"x":"evt_sent"}}`)
	sent := h.find("evt_sent")
	require.Equal(t, "received", steps(sent.Events[0]), "an event that still waits is found by its own words, and only where they are its id")
	require.Equal(t, "waiting", sent.Events[0].Ends[0].Outcome)
	require.Equal(t, "evt_sent", h.find("req_7").Events[0].EventID)

	h.put("inbound.events", `{"broken":"canary`)
	q := &quarantine.Record{EventID: "evt_q", Code: "event.syntax", Stage: "ingest", Attempts: 1, First: h.clock, Last: h.clock, Ref: quarantine.Ref{Topic: "inbound.events", Partition: 1, Offset: 2}}
	h.put("events.dlq", string(q.Append(nil)), "event_id", "evt_q")
	bad := h.find("evt_q").Events[0]
	require.Equal(t, "received, quarantined *", steps(bad))
	require.Equal(t, trace.End{Destination: "warehouse", Outcome: "quarantined", Reason: "event.syntax"}, bad.Ends[1])
}

func TestPoliciesAreFoundByVersion(t *testing.T) {
	h := newHouse(t)
	ws, err := workspace.Load("../../pipelines")
	require.NoError(t, err)
	record := ws.Publish()
	value, err := json.Marshal(record)
	require.NoError(t, err)
	for key, text := range map[string]string{record.Version: string(value), "torn": "{"} {
		require.NoError(t, h.client.ProduceSync(h.ctx(), &kgo.Record{Topic: "privacy.policies", Key: []byte(key), Value: []byte(text)}).FirstErr())
	}
	rules, err := trace.Policies(h.ctx(), h.opts.Client, "privacy.policies")
	require.NoError(t, err)
	found, err := rules(record.Version)
	require.NoError(t, err)
	require.Equal(t, ws.Hash(), found.Hash())
	_, err = rules("torn")
	require.Error(t, err)
	_, err = rules("never")
	require.ErrorContains(t, err, "privacy.policies does not have it")
}

// At night, with the store down, the topics still tell.
func TestAStoreThatDoesNotAnswerTakesNothingFromWhatTopicsTell(t *testing.T) {
	h := newHouse(t)
	h.put("events.raw", `{}`, from("evt_1", "req_1", "1")...)
	client, err := clickhouse.Open(clickhouse.Options{DSN: "clickhouse://ebbgate:canary@127.0.0.1:1/ebbgate", Timeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	h.opts.Store = &trace.Store{Client: client, Destination: "analytics", Table: "events"}
	found := h.find("evt_1")
	require.Equal(t, "accepted", steps(found.Events[0]))
	require.Contains(t, found.Search.StoreError, "connection refused")
	require.Contains(t, found.Search.String(), "the store did not answer")
	require.Empty(t, h.find("evt_never").Events)
}

// Nothing is written down of a record that repeats another, so the trace tells it from the log, as the processor does.
func TestARepeatThatWasTakenOutIsAStep(t *testing.T) {
	h := newHouse(t)
	again := func(content string, more ...string) {
		h.put("events.raw", `{}`, append(append(from("evt_1", "req_1", "1"), "content_digest", content), more...)...)
	}
	again("a")
	h.put("events.validated", `{}`, from("evt_1", "req_1", "1")...)
	again("a")
	require.Equal(t, "accepted, stored, accepted, duplicate", steps(h.find("evt_1").Events[0]))
	again("b")
	again("b", "replay_id", "rpl_1")
	require.Equal(t, "accepted, stored, accepted, duplicate, accepted, accepted", steps(h.find("evt_1").Events[0]),
		"another content is a conflict, and what is sent through again on purpose is none")
	h.put("events.validated", `{}`, from("evt_1", "req_1", "1")...)
	h.put("events.validated", `{}`, from("evt_1", "req_1", "1")...)
	require.NotContains(t, steps(h.find("evt_1").Events[0]), "duplicate", "what was judged was not taken out")
}

// Whoever sends another event under an id takes nothing from what is told of the first.
func TestAnEventUnderTheIDOfAnotherSaysNothingOfTheFirst(t *testing.T) {
	h := newHouse(t)
	conflict := func(id string, offset int64) {
		q := &quarantine.Record{EventID: id, Code: "event.id_conflict", Path: "event_id", Stage: "validate", Attempts: 1, First: h.clock, Last: h.clock, Ref: quarantine.Ref{Topic: "events.raw", Partition: 1, Offset: offset}}
		h.put("events.dlq", string(q.Append(nil)), "event_id", id)
	}
	h.put("events.raw", `{"first":true}`, from("evt_1", "req_1", "1")...)
	h.put("events.validated", `{}`, from("evt_1", "req_1", "1")...)
	h.put("events.authorized.analytics", `{}`, from("evt_1", "req_1", "1")...)
	h.put("events.raw", `{"first":false}`, from("evt_1", "req_2", "2")...)
	conflict("evt_1", 1)
	e := h.find("evt_1").Events[0]
	require.Equal(t, "accepted, stored, authorized analytics, accepted, conflict", steps(e))
	require.Equal(t, []string{"authorized", "waiting", "waiting"}, []string{e.Ends[0].Outcome, e.Ends[1].Outcome, e.Ends[2].Outcome})
	require.JSONEq(t, `{"first":true}`, string(e.Evidence().Raw))
	for _, o := range e.Evidence().Outcomes {
		require.Nil(t, o.Fault)
	}

	h.put("events.raw", `{}`, from("evt_2", "req_3", "3")...)
	conflict("evt_2", 2)
	alone := h.find("evt_2").Events[0]
	require.Equal(t, "accepted, quarantined *", steps(alone), "nothing is left of the event that came first")
	require.Equal(t, trace.End{Destination: "analytics", Outcome: "quarantined", Reason: "event.id_conflict"}, alone.Ends[0])
	require.Len(t, alone.Evidence().Outcomes, 1)
}
