package gate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// raw is an event as the stage before validate leaves it.
func rawEvent(id, path, digest string) *kgo.Record {
	rec := &kgo.Record{
		Topic: "events.raw", Key: []byte("sk1one"), Headers: []kgo.RecordHeader{{Key: "event_id", Value: []byte(id)}},
		Value: fmt.Appendf(nil, `{"event_name":"page_viewed","event_id":%q,"timestamp":"2026-11-01T10:00:00Z","received_at":"2026-11-01T10:00:01Z","subject":{"anonymous_id":"anon-1"},`+
			`"consent":{"analytics":true},"context":{"source":"web_app","schema_version":"1.1.0"},"properties":{"path":%q}}`, id, path),
	}
	if digest != "" {
		rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: "content_digest", Value: []byte(digest)})
	}
	return rec
}

// validated are the ids on events.validated, in their order.
func (h *house) validated() (ids []string) {
	for _, rec := range h.read("events.validated") {
		for _, header := range rec.Headers {
			if header.Key == "event_id" {
				ids = append(ids, string(header.Value))
			}
		}
	}
	return ids
}

func (h *house) repeating(processor string) (stop func()) {
	h.t.Helper()
	yaml := strings.NewReplacer("SEEDS", fmt.Sprintf("%q", h.seeds)).Replace(`
input: { redpanda: { seed_brokers: SEEDS, topics: [ events.raw ], consumer_group: repeats, chunk_offsets: 4, chunk_period: 10ms } }
pipeline:
  threads: 4
  processors:
    - PROCESSOR
    - contract: {}
    - consent: { stage: validate, state: { seed_brokers: SEEDS } }
output: { redpanda: { seed_brokers: SEEDS, topic: "${! @topic }", key: "${! @key }" } }
`)
	return h.stream(strings.Replace(yaml, "PROCESSOR", strings.ReplaceAll(processor, "SEEDS", fmt.Sprintf("%q", h.seeds)), 1))
}

// An event that is sent again goes on once, also when it comes after a restart, and one under the id of another is quarantined
// with its neighbours going on.
func TestRepeatsGoOnOnce(t *testing.T) {
	for name, processor := range map[string]string{
		"batch by batch": "repeats: { seed_brokers: SEEDS, window: 20 }",
		"event by event": "for_each: [ { repeats: { seed_brokers: SEEDS, window: 20 } } ]",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			stop := h.repeating(processor)
			send := func(records ...*kgo.Record) {
				for _, rec := range records {
					h.produce(rec)
				}
			}
			send(
				rawEvent("evt_1", "/a", ""), rawEvent("evt_1", "/a", ""), // at once
				rawEvent("evt_2", "/a", "d1"), rawEvent("evt_2", "/changed-by-the-retry", "d1"), // a door says it is the same
				rawEvent("evt_3", "/a", ""), rawEvent("evt_4", "/a", ""), rawEvent("evt_3", "/b", ""), rawEvent("evt_5", "/a", ""), // a conflict
			)
			h.drained("repeats", "events.raw")
			require.Equal(t, []string{"evt_1", "evt_2", "evt_3", "evt_4", "evt_5"}, h.validated())
			require.Equal(t, map[string]int{"event.id_conflict": 1}, h.codes())
			stop()

			h.repeating(processor)
			send(rawEvent("evt_1", "/a", ""), rawEvent("evt_6", "/a", ""), rawEvent("evt_2", "/again", "d1"))
			h.drained("repeats", "events.raw")
			require.Equal(t, []string{"evt_1", "evt_2", "evt_3", "evt_4", "evt_5", "evt_6"}, h.validated(), "the window is read back")

			replayed := rawEvent("evt_2", "/a", "d1")
			replayed.Headers = append(replayed.Headers, kgo.RecordHeader{Key: "replay_id", Value: []byte("r_1")})
			send(replayed)
			for i := range 30 {
				send(rawEvent(fmt.Sprintf("evt_between_%d", i), "/a", ""))
			}
			send(rawEvent("evt_1", "/a", ""))
			h.drained("repeats", "events.raw")
			ids := h.validated()
			require.Equal(t, "evt_2", ids[6], "somebody wants it again")
			require.Equal(t, "evt_1", ids[len(ids)-1], "what is further back than the window is not seen")
			require.Equal(t, map[string]int{"event.id_conflict": 1}, h.codes())
		})
	}
}

// Where it is not known where records lie, nothing goes on.
func TestRepeatsNeedPositions(t *testing.T) {
	h := newHouse(t)
	h.repeating(`processors: [ { mapping: "root = content()\nmeta = {}" }, { repeats: { seed_brokers: SEEDS } } ]`)
	h.produce(rawEvent("evt_1", "/a", ""))
	h.drained("repeats", "events.raw")
	require.Empty(t, h.validated())
	require.Equal(t, map[string]int{"repeats.no_position": 1}, h.codes())
}
