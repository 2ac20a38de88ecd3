package dlq_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/dlq"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// house is a broker with the shipped topics.
type house struct {
	t      *testing.T
	login  *kafka.Client
	client *kgo.Client
	topics *topics.Set
	cipher *quarantine.Cipher
	clock  time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	seeds, _ := plugtest.Broker(t)
	text, err := os.ReadFile("../../pipelines/topics.yaml")
	require.NoError(t, err)
	h := &house{t: t, cipher: quarantine.NewCipher(keys.ForTesting("a")), clock: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)}
	h.topics, err = topics.Parse(text, "topics.yaml")
	require.NoError(t, err)
	h.login, err = kafka.NewClient(kafka.Login{Seeds: seeds})
	require.NoError(t, err)
	h.client, err = kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.ProducerBatchMaxBytes(4<<20))
	require.NoError(t, err)
	t.Cleanup(h.client.Close)
	plan, err := kafka.PlanTopics(h.ctx(), kadm.NewClient(h.client), h.topics, false)
	require.NoError(t, err)
	_, err = plan.Apply(h.ctx(), kadm.NewClient(h.client))
	require.NoError(t, err)
	return h
}

func (h *house) ctx() context.Context {
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	h.t.Cleanup(cancel)
	return ctx
}

func (h *house) put(topic, key string, value []byte, headers ...string) quarantine.Ref {
	h.t.Helper()
	rec := &kgo.Record{Topic: topic, Value: value}
	if key != "" {
		rec.Key = []byte(key)
	}
	for i := 0; i < len(headers); i += 2 {
		rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: headers[i], Value: []byte(headers[i+1])})
	}
	require.NoError(h.t, h.client.ProduceSync(h.ctx(), rec).FirstErr())
	return quarantine.Ref{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset}
}

// quarantined writes the record that a stage makes of the event at ref.
func (h *house) quarantined(code, stage string, ref quarantine.Ref, id string, body []byte, headers ...string) {
	h.t.Helper()
	h.clock = h.clock.Add(time.Second)
	rec := quarantine.New(code, "", stage, ref, id, body, h.cipher, h.clock)
	h.put("events.dlq", id, rec.Append(nil), headers...)
}

// failed puts an event on events.raw that fails at the validate stage.
func (h *house) failed(id, body string) quarantine.Ref {
	h.t.Helper()
	ref := h.put("events.raw", "sk_1", []byte(body), "event_id", id, "subject_key", "sk_1", "content_digest", "d1")
	h.quarantined("contract.type", "validate", ref, id, []byte(body))
	return ref
}

func (h *house) open() *dlq.Book {
	h.t.Helper()
	b, err := dlq.Open(h.ctx(), h.login, h.topics)
	require.NoError(h.t, err)
	h.t.Cleanup(b.Close)
	return b
}

func (h *house) all(topic string) (list []*kgo.Record) {
	h.t.Helper()
	r, err := h.login.OpenReader(time.Time{})
	require.NoError(h.t, err)
	defer r.Close()
	_, err = r.Scan(h.ctx(), topic, func(rec *kgo.Record) { list = append(list, rec) })
	require.NoError(h.t, err)
	return list
}

// again gives the records of a topic that were sent through again.
func (h *house) again(topic string) (list []*kgo.Record) {
	h.t.Helper()
	for _, rec := range h.all(topic) {
		if header(rec, "replay_id") != "" {
			list = append(list, rec)
		}
	}
	return list
}

func header(rec *kgo.Record, name string) string {
	for _, h := range rec.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

var because = dlq.Order{Who: "ada", Why: "contract mended"}

func TestAReplayedEntryEntersWhereItWasReadAndOnlyOnce(t *testing.T) {
	h := newHouse(t)
	ref := h.failed("evt_1", `{"event_name":"x"}`)
	res, err := h.open().Replay(h.ctx(), because, h.cipher)
	require.NoError(t, err)
	require.Equal(t, map[string]int{dlq.Replayed: 1}, res.Counts)

	got := h.again("events.raw")
	require.Len(t, got, 1)
	require.Equal(t, `{"event_name":"x"}`, string(got[0].Value))
	require.Equal(t, "sk_1", string(got[0].Key))
	require.Equal(t, ref.Partition, got[0].Partition, "its subject's events stay in order")
	for name, want := range map[string]string{"event_id": "evt_1", "content_digest": "d1", "replay_id": res.Action, "src_topic": "events.raw", "src_offset": "0"} {
		require.Equal(t, want, header(got[0], name), name)
	}

	book := h.open()
	require.Equal(t, dlq.Replayed, book.Select(dlq.Filter{})[0].State)
	res, err = book.Replay(h.ctx(), because, h.cipher)
	require.NoError(t, err)
	require.Zero(t, res.Selected, "what is done is not done again")
	require.Len(t, h.again("events.raw"), 1)
}

func TestTheOriginOfAnEventOutlivesItsReplay(t *testing.T) {
	h := newHouse(t)
	ref := h.put("events.validated", "sk_1", []byte(`{}`), "event_id", "evt_1", "src_topic", "events.raw", "src_partition", "3", "src_offset", "81", "replay_id", "act_old")
	h.quarantined("upstream_failed", "govern", ref, "evt_1", []byte(`{}`))
	res, err := h.open().Replay(h.ctx(), because, h.cipher)
	require.NoError(t, err)
	got := h.all("events.validated")[1]
	require.Equal(t, "81", header(got, "src_offset"))
	require.Equal(t, res.Action, header(got, "replay_id"))
	n := 0
	for _, one := range got.Headers {
		if one.Key == "replay_id" || one.Key == "src_offset" {
			n++
		}
	}
	require.Equal(t, 2, n, "each once")
}

func TestWhatIsNotAsItWasReadIsJudgedFromTheStart(t *testing.T) {
	h := newHouse(t)
	ref := h.put("events.validated", "sk_1", []byte(`{"n":9007199254740993}`), "event_id", "evt_1", "content_digest", "d1")
	h.quarantined("redact.value", "govern", ref, "evt_1", []byte(`{"n":1}`))
	gone := quarantine.Ref{Topic: "events.validated", Partition: ref.Partition, Offset: 900}
	h.quarantined("redact.value", "govern", gone, "evt_2", []byte(`{"n":2}`), "event_id", "evt_2", "subject_key", "sk_2,sk_3")
	mend, err := dlq.Mapping(`root = this` + "\n" + `root.mended = true`)
	require.NoError(t, err)
	o := because
	o.Correct, o.Correction = mend, "abc"
	_, err = h.open().Replay(h.ctx(), o, h.cipher)
	require.NoError(t, err)
	require.Empty(t, h.again("events.validated"), "nobody judged those bytes")
	got := h.again("events.raw")
	require.Len(t, got, 2)
	bodies := map[string]*kgo.Record{header(got[0], "event_id"): got[0], header(got[1], "event_id"): got[1]}
	require.Equal(t, `{"mended":true,"n":9007199254740993}`, string(bodies["evt_1"].Value), "and large numbers are not rounded")
	require.Empty(t, header(bodies["evt_1"], "content_digest"))
	require.Equal(t, "sk_2", string(bodies["evt_2"].Key))
}

func TestWhatCannotEnterStays(t *testing.T) {
	h := newHouse(t)
	sealed := h.put("events.authorized.analytics", "sk_1", []byte(`{"a":1}`), "ebbgate_seal", "s1", "event_id", "evt_1")
	h.quarantined("clickhouse.type", "deliver", sealed, "evt_1", []byte(`{"a":1}`))
	h.quarantined("clickhouse.type", "deliver", quarantine.Ref{Topic: "events.authorized.analytics", Offset: 77}, "evt_2", []byte(`{}`))
	h.quarantined("event.empty", "ingest", quarantine.Ref{Topic: "inbound.webhooks", Offset: 77}, "evt_3", []byte(``))
	h.quarantined("contract.type", "validate", quarantine.Ref{Topic: "events.raw", Offset: 77}, "evt_4", nil)
	h.quarantined("decision.id", "deliver", h.put("privacy.decisions", "k", []byte(`{}`)), "evt_5", []byte(`{}`))
	h.quarantined("contract.type", "validate", quarantine.Ref{Topic: "events.elsewhere", Offset: 77}, "evt_6", []byte(`{}`))

	o := because
	var err error
	o.Correct, err = dlq.Mapping(`root = this`)
	require.NoError(t, err)
	f, err := h.open().Foresee(h.ctx(), o, h.cipher, shipped(t))
	require.NoError(t, err)
	require.Equal(t, 2, f.Faults["replay.sealed"], "no mapping changes what is sealed")

	res, err := h.open().Replay(h.ctx(), because, h.cipher)
	require.NoError(t, err)
	require.Equal(t, map[string]int{
		dlq.Replayed: 1, "replay.gone": 2, "replay.no_payload": 1, "replay.wrong_topic": 1, "replay.undeclared_topic": 1,
	}, res.Counts)
	require.Len(t, h.open().Select(dlq.Filter{State: dlq.Waiting}), 5)
	require.Equal(t, "s1", header(h.again("events.authorized.analytics")[0], "ebbgate_seal"), "under its own seal")
}

func shipped(t *testing.T) *workspace.Workspace {
	t.Helper()
	ws, err := workspace.Load("../../pipelines")
	require.NoError(t, err)
	return ws
}

func TestAListComesBackOnce(t *testing.T) {
	h := newHouse(t)
	ref := h.put("inbound.webhooks", "", []byte(`[{},7]`), "webhook_provider", "sendgrid")
	h.quarantined("envelope.subject", "ingest", ref, "evt_a", []byte(`{}`))
	h.quarantined("event.not_object", "ingest", ref, "evt_b", []byte(`7`))
	res, err := h.open().Replay(h.ctx(), because, h.cipher)
	require.NoError(t, err)
	require.Equal(t, 2, res.Counts[dlq.Replayed])
	got := h.again("inbound.webhooks")
	require.Len(t, got, 1)
	require.Equal(t, "sendgrid", header(got[0], "webhook_provider"))
}

func TestARecordWrittenTwiceIsOneEntry(t *testing.T) {
	h := newHouse(t)
	ref := h.failed("evt_1", `{}`)
	first := h.clock
	h.quarantined("contract.type", "validate", ref, "evt_1", []byte(`{}`))
	list := h.open().Select(dlq.Filter{})
	require.Len(t, list, 1)
	require.Equal(t, first, list[0].First)
	require.Equal(t, h.clock, list[0].Last)
}

func TestADiscardedEntryIsNotReplayed(t *testing.T) {
	h := newHouse(t)
	h.failed("evt_1", `{}`)
	h.failed("evt_2", `{}`)
	o := because
	o.Filter.Event = "evt_1"
	res, err := h.open().Discard(h.ctx(), o)
	require.NoError(t, err)
	require.Equal(t, map[string]int{dlq.Discarded: 1}, res.Counts)
	res, err = h.open().Replay(h.ctx(), because, h.cipher)
	require.NoError(t, err)
	require.Equal(t, 1, res.Selected)
	require.Len(t, h.again("events.raw"), 1)
}

func TestEveryActionSaysWhoAndWhyBeforeItActs(t *testing.T) {
	h := newHouse(t)
	h.failed("evt_1", `{"email":"alice.canary@example.com"}`)
	book := h.open()
	for _, o := range []dlq.Order{{Who: "ada"}, {Why: "because"}} {
		_, err := book.Replay(h.ctx(), o, h.cipher)
		require.Error(t, err)
		_, err = book.Discard(h.ctx(), o)
		require.Error(t, err)
		_, err = book.Show(h.ctx(), book.Select(dlq.Filter{})[0], h.cipher, o)
		require.Error(t, err)
	}
	require.Empty(t, h.all("privacy.actions"))
	require.Empty(t, h.again("events.raw"))

	body, err := book.Show(h.ctx(), book.Select(dlq.Filter{})[0], h.cipher, because)
	require.NoError(t, err)
	require.Contains(t, string(body), "alice.canary")
	_, err = book.Replay(h.ctx(), because, h.cipher)
	require.NoError(t, err)
	var kinds []string
	for _, rec := range h.all("privacy.actions") {
		var a dlq.Action
		require.NoError(t, json.Unmarshal(rec.Value, &a))
		require.Equal(t, []string{"ada", "contract mended"}, []string{a.Who, a.Why})
		require.NotContains(t, string(rec.Value), "canary")
		kinds = append(kinds, a.Kind+" "+a.State)
	}
	require.Equal(t, []string{"dlq.show begun", "dlq.replay begun", "dlq.replay marked", "dlq.replay ended"}, kinds)
}

func TestTheLargestEventComesThroughTheQuarantine(t *testing.T) {
	h := newHouse(t)
	body := `{"p":"` + strings.Repeat("x", quarantine.MaxPlaintext-8) + `"}`
	h.failed("evt_1", body)
	_, err := h.open().Replay(h.ctx(), because, h.cipher)
	require.NoError(t, err)
	require.True(t, bytes.Equal([]byte(body), h.again("events.raw")[0].Value))
}

func TestAForecastSendsNothing(t *testing.T) {
	h := newHouse(t)
	now := time.Now().UTC().Format(time.RFC3339)
	bad := `{"event_name":"trial_started","event_id":"evt_1","timestamp":"` + now + `","subject":{"user_id":"u_1"},"consent":{"analytics":true,"marketing":false},` +
		`"context":{"source":"web_app","schema_version":"1.4.2"},"properties":{"plan":"pro","trial_length_days":"14"}}`
	h.failed("evt_1", bad)
	h.failed("evt_2", `{"a":1,"a":2}`)
	f, err := h.open().Foresee(h.ctx(), because, h.cipher, shipped(t))
	require.NoError(t, err)
	require.Equal(t, map[string]int{"contract.type": 1, "event.duplicate_name": 1}, f.Faults)

	o := because
	o.Correct, err = dlq.Mapping(`root = this` + "\n" + `root.properties.trial_length_days = this.properties.trial_length_days.number()`)
	require.NoError(t, err)
	f, err = h.open().Foresee(h.ctx(), o, h.cipher, shipped(t))
	require.NoError(t, err)
	require.Equal(t, 1, f.Passes)
	require.Equal(t, map[string]int{"replay.not_strict": 1}, f.Faults, "a mapping must not choose between two values of one name")
	require.Equal(t, map[string]int{"allowed": 1}, f.Destinations["analytics"])
	require.Equal(t, map[string]int{"denied": 1}, f.Destinations["activation"])
	require.Empty(t, h.again("events.raw"))
	require.Empty(t, h.all("privacy.actions"))
}

func TestAMappingSeesTheEventAlone(t *testing.T) {
	for _, text := range []string{`root = env("HOME")`, `root = file("/etc/hostname")`, `import "x.blobl"`, `root = `} {
		_, err := dlq.Mapping(text)
		require.Error(t, err, text)
	}
	fails, err := dlq.Mapping(`root = this.email.number()`)
	require.NoError(t, err)
	_, err = fails([]byte(`{"email":"alice.canary@example.com"}`))
	require.ErrorContains(t, err, "replay.correction")
	require.NotContains(t, err.Error(), "canary")
	gone, err := dlq.Mapping(`root = deleted()`)
	require.NoError(t, err)
	_, err = gone([]byte(`{}`))
	require.ErrorContains(t, err, "replay.correction")
}

func TestFiltersChoose(t *testing.T) {
	h := newHouse(t)
	h.failed("evt_1", `{}`)
	h.quarantined("event.syntax", "ingest", quarantine.Ref{Topic: "inbound.github", Offset: 3}, "evt_2", []byte(`{`))
	book := h.open()
	begin := h.clock.Add(-time.Second)
	for name, c := range map[string]struct {
		filter dlq.Filter
		want   int
	}{
		"all": {dlq.Filter{}, 2}, "code": {dlq.Filter{Code: "contract.type"}, 1}, "codes": {dlq.Filter{Code: "event."}, 1}, "no code": {dlq.Filter{Code: "event"}, 0},
		"event": {dlq.Filter{Event: "evt_2"}, 1}, "source": {dlq.Filter{Source: "events.raw"}, 1}, "stage": {dlq.Filter{Stage: "ingest"}, 1},
		"since": {dlq.Filter{Since: h.clock}, 1}, "until": {dlq.Filter{Until: h.clock}, 1}, "between": {dlq.Filter{Since: begin, Until: begin.Add(time.Hour)}, 2},
		"state": {dlq.Filter{State: dlq.Discarded}, 0}, "id": {dlq.Filter{IDs: []string{book.Select(dlq.Filter{})[1].ID}}, 1},
	} {
		require.Len(t, book.Select(c.filter), c.want, name)
	}
	stats := dlq.Stats(book.Select(dlq.Filter{}))
	require.Len(t, stats, 2)
	require.Equal(t, 1, stats[0].Count)
}
