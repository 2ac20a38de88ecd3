package monitoring

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	rounds    = 2 // a rate needs a before and an after
	people    = 2
	stranger  = "Zq9stranger"
	sinkTopic = "events.authorized.analytics"
)

// TestOnARealPrometheus runs everything, healthy and faulty, under a real Prometheus with the shipped rules and asks it what the
// shipped dashboard and rules ask.
func TestOnARealPrometheus(t *testing.T) {
	tool(t, "prometheus")
	h := newHouse(t)
	p := h.program()
	s := newServer(t, p.address)
	s.comes(`up == 1`)
	for range rounds {
		h.traffic()
		h.drained("ebbgate-ingest-brokered", "inbound.github")
		h.drained("ebbgate-ingest-webhooks", "inbound.webhooks")
		h.settled()
		h.seen(s, "ebbgate_input_records_total")
	}
	p.breakPolicy()
	h.refusedOnce()
	h.atTheSink(p)
	h.waiting(p, s)
	h.drained("ebbgate-misrouted", "inbound.events")
	s.comes(`sum(ebbgate_input_replays_total{kind="transient",stream="stalled"}) > 1`)
	s.comes(`min(ebbgate:time_to_loss_seconds) < 3 * 86400`)
	h.seen(s, "ebbgate_delivered_total")

	if keep := os.Getenv("EBBGATE_KEEP_METRICS"); keep != "" {
		require.NoError(t, os.WriteFile(keep, p.metrics(), 0o600))
	}
	t.Run("values", func(t *testing.T) { holdsValues(t, s.in(t)) })
	t.Run("panels", func(t *testing.T) { drawsPanels(t, s.in(t)) })
	t.Run("rules", func(t *testing.T) { evaluatesRules(t, s.in(t)) })
	t.Run("labels", func(t *testing.T) { keepsStrangersOut(t, s.in(t)) })
	t.Run("names", func(t *testing.T) { followsConventions(t, p) })
	p.kill()
	s.comes(`ALERTS{alertname="EbbgateDown",alertstate="firing",job="ebbgate"}`)
}

// traffic is one round: who says what, and what becomes of it.
func (h *house) traffic() {
	h.t.Helper()
	page := func(consent, source, properties string) string {
		return h.visit("page_viewed", consent, source, `"path":"/"`+properties)
	}
	var list []string
	times := func(n int, make func() string) {
		for range n {
			list = append(list, make())
		}
	}
	times(20, func() string { return page(agreed, "web_app", "") })
	times(5, func() string {
		return h.visit("signed_up", agreed, "web_app", `"method":"password","email":"ada@example.com"`)
	})
	times(4, func() string {
		return h.visit("signed_up", noMarketing, "web_app", `"method":"password","email":"ada@example.com"`)
	})
	times(3, func() string { return page(silent, "web_app", "") })
	times(2, func() string { return page(agreed, "web_app", `,"email":"ada@example.com"`) })
	times(2, func() string { return page(agreed, "web_app", `,"duration_ms":"`+stranger+`"`) })
	times(1, func() string { return page(agreed, stranger, `,"`+stranger+`":1`) })
	times(1, func() string { return strings.ReplaceAll(page(agreed, "web_app", ""), "page_viewed", stranger) })
	times(1, func() string { return `{"` + stranger })
	h.publish("inbound.events", time.Now(), list...)
	h.published++
	delivery := &kgo.Record{
		Topic: "inbound.github", Value: []byte(`{"ref":"refs/heads/main","sender":{"id":21},"repository":{"id":12,"full_name":"a/b"}}`),
		Headers: []kgo.RecordHeader{{Key: "x-github-event", Value: []byte("push")}, {Key: "x-github-delivery", Value: fmt.Appendf(nil, "d-%d", h.published)}},
	}
	require.NoError(h.t, h.client.ProduceSync(h.ctx(), delivery).FirstErr())
	h.deliver(2, 30)
	h.deliverAgain()
	h.deliverCaptured()
}

const noMarketing = `{"analytics":true,"marketing":false}`

// visit is an event of one of the two people.
func (h *house) visit(name, consent, source, properties string) string {
	h.published++
	return fmt.Sprintf(`{"event_name":%q,"event_id":"evt_%d","timestamp":%q,"subject":{"user_id":"u_%d"},"consent":%s,`+
		`"context":{"source":%q,"schema_version":"1.2.0"},"properties":{%s}}`,
		name, h.published, time.Now().UTC().Format(time.RFC3339Nano), h.published%people, consent, source, properties)
}

// seen waits until the server has scraped what is counted by now.
func (h *house) seen(s *server, metric string) {
	h.t.Helper()
	now := float64(time.Now().UnixMilli()) / 1000
	s.comes(fmt.Sprintf(`max(timestamp(%s)) > %f`, metric, now))
}

// atTheSink brings records to the sink that it has already, that nobody sealed, that are of a person who withdrew, and that are
// old, for the stream that stalls before them.
func (h *house) atTheSink(p *program) {
	h.t.Helper()
	h.publish(sinkTopic, time.Now(), h.event(agreed, ""))
	stays, withdraws, free := h.delivered()
	out, err := exec.Command(p.binary, "consent", "set", "--user-id", "u_1", "analytics=false").CombinedOutput()
	require.NoError(h.t, err, "%s", out)
	old := time.Now().Add(-11 * 24 * time.Hour) // of the 14 days it is kept
	h.place(stays, stays.Partition, time.Now())
	h.place(withdraws, free[0], time.Now())
	h.place(stays, free[1], old)
	h.drained("ebbgate-analytics", sinkTopic)
}

// delivered are sealed records of two people, u_0 and u_1, and the partitions of the sink's topic that are empty.
func (h *house) delivered() (first, second *kgo.Record, free []int32) {
	h.t.Helper()
	ends, err := h.admin.ListEndOffsets(h.ctx(), sinkTopic)
	require.NoError(h.t, err)
	for p, end := range ends[sinkTopic] {
		if end.Offset == 0 {
			free = append(free, p)
		}
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(h.seeds...), kgo.ConsumeTopics(sinkTopic))
	require.NoError(h.t, err)
	defer reader.Close()
	for first == nil || second == nil {
		fetches := reader.PollFetches(h.ctx())
		require.NoError(h.t, fetches.Err())
		fetches.EachRecord(func(rec *kgo.Record) {
			for _, header := range rec.Headers {
				switch n, err := strconv.Atoi(strings.TrimPrefix(string(header.Value), "evt_")); {
				case header.Key != "event_id" || err != nil:
				case n%people == 0:
					first = rec
				default:
					second = rec
				}
			}
		})
	}
	return first, second, free
}

// place writes a copy of a record to a partition.
func (h *house) place(rec *kgo.Record, partition int32, at time.Time) {
	h.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(h.seeds...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(h.t, err)
	defer cl.Close()
	again := &kgo.Record{Topic: rec.Topic, Partition: partition, Key: rec.Key, Value: rec.Value, Headers: rec.Headers, Timestamp: at}
	require.NoError(h.t, cl.ProduceSync(h.ctx(), again).FirstErr())
}

// keepsStrangersOut: nothing a sender writes becomes a label.
func keepsStrangersOut(t *testing.T, s *server) {
	var names []string
	require.True(t, s.ask("labels", nil, &names))
	require.Contains(t, names, "source")
	for _, name := range names {
		assert.NotContains(t, name, stranger)
		var values []string
		require.True(t, s.ask("label/"+name+"/values", nil, &values))
		for _, value := range values {
			assert.NotContains(t, value, stranger, name)
		}
	}
}

// followsConventions has promtool judge names, types and help of all that is scraped.
func followsConventions(t *testing.T, p *program) {
	cmd := exec.CommandContext(t.Context(), tool(t, "promtool"), "check", "metrics")
	cmd.Stdin = strings.NewReader(string(p.metrics()))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
