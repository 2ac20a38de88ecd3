package gate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestShippedPipelinesCarryAnEventToItsDestinations(t *testing.T) {
	h := newHouse(t)
	h.publish("inbound.events", form("evt_1", "u_1", yes), form("evt_2", "u_2", noConsent), `{"event_name":1,"event_name":2}`)
	h.shipped("ingest-events")
	h.shipped("validate")
	h.shipped("govern")
	h.drained("ebbgate-ingest-events", "inbound.events")
	h.drained("ebbgate-validate", "events.raw")
	h.drained("ebbgate-govern", "events.validated")

	for _, topic := range authorized {
		records := h.read(topic)
		require.Len(t, records, 1, topic)
		require.Equal(t, "evt_1", header(records[0], "event_id"))
		require.NotEmpty(t, header(records[0], "ebbgate_seal"))
		require.Equal(t, "inbound.events", header(records[0], "src_topic"))
	}
	require.False(t, h.holds(secret, "events.authorized.analytics", "events.authorized.warehouse", "events.dlq", "privacy.decisions"))
	require.Equal(t, map[string]int{"event.duplicate_name": 1}, h.codes())
	require.True(t, h.holds("consent.marketing=missing", "privacy.decisions"), "marketing forms may not be stored without consent")
}

// Between two of our processors a user may put anything. Nothing of it may leak or be lost.
func TestProcessorsOfTheUserBetweenOurs(t *testing.T) {
	const afterConsent = "    - label: redact\n"
	cases := map[string]struct {
		insert    string // into govern.yaml, before redact
		at        string
		authorize int
		codes     map[string]int
	}{
		"throws before consent":         {"    - mapping: root = throw(\"x\")\n", "    - label: consent\n", 0, map[string]int{"upstream_failed": 3}},
		"throws before redact":          {"    - mapping: root = throw(\"x\")\n", afterConsent, 0, map[string]int{"upstream_failed": 3}},
		"throws for one event":          {"    - mapping: root = if this.event_id == \"evt_1\" { throw(this.properties.email) } else { content() }\n", "    - label: consent\n", 2, map[string]int{"upstream_failed": 1}},
		"mutates then throws":           {"    - mutation: |\n        root.properties.plan = \"x\"\n        root.a = throw(\"x\")\n", "    - label: consent\n", 0, map[string]int{"upstream_failed": 3}},
		"filters":                       {"    - mapping: root = if this.event_id == \"evt_1\" { deleted() } else { content() }\n", "    - label: consent\n", 2, map[string]int{}},
		"filters after consent":         {"    - mapping: root = if this.event_id == \"evt_1\" { deleted() } else { content() }\n", afterConsent, 2, map[string]int{}},
		"rewrites after consent":        {"    - mapping: |\n        root = this\n        root.subject.user_id = \"someone-else\"\n", afterConsent, 0, map[string]int{"redact.no_judgement": 3}},
		"rewrites before consent":       {"    - mapping: |\n        root = this\n        root.properties.company_size = 30\n", "    - label: consent\n", 3, map[string]int{}},
		"makes it no JSON":              {"    - mapping: root = \"plain\"\n", "    - label: consent\n", 0, map[string]int{"event.syntax": 3}},
		"try without catch":             {"    - try:\n        - mapping: root = throw(\"x\")\n", afterConsent, 0, map[string]int{"upstream_failed": 3}},
		"branch that copies everything": {"    - branch:\n        request_map: root = this\n        processors: [ { noop: {} } ]\n        result_map: root.properties.message = this.properties.email\n", "    - label: consent\n", 3, map[string]int{}},
		"metadata that claims a seal":   {"    - mapping: |\n        root = content()\n        meta topic = \"events.authorized.analytics\"\n        meta ebbgate = \"yes\"\n", "    - label: consent\n", 3, map[string]int{}},
		"metadata after consent":        {"    - mapping: |\n        root = content()\n        meta ebbgate = deleted()\n", afterConsent, 0, map[string]int{"redact.no_judgement": 3}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.publish("events.validated", form("evt_1", "u_1", yes), form("evt_2", "u_2", yes), form("evt_3", "u_3", yes))
			h.shipped("govern", test.at, test.insert+test.at)
			h.drained("ebbgate-govern", "events.validated")
			for _, topic := range authorized {
				require.Len(t, h.read(topic), test.authorize, topic)
			}
			require.Equal(t, test.codes, h.codes())
			require.False(t, h.holds(secret, "events.authorized.analytics", "events.authorized.warehouse", "events.dlq", "privacy.decisions"))
		})
	}
}

func TestWiredWrongly(t *testing.T) {
	t.Run("consent removed", func(t *testing.T) {
		h := newHouse(t)
		h.publish("events.validated", form("evt_1", "u_1", yes))
		h.stream(h.govern(`[ { redact: {} } ]`, "${! @topic }"))
		h.drained("wrong", "events.validated")
		require.Equal(t, map[string]int{"redact.no_judgement": 1}, h.codes())
		h.nothingAuthorized()
	})
	t.Run("consent removed from validate", func(t *testing.T) {
		h := newHouse(t)
		h.publish("events.raw", form("evt_1", "u_1", noConsent))
		h.stream(h.copying("events.raw", "[ { contract: {} } ]", "${! @topic }"))
		h.refusedToStore("wrong")
	})
	t.Run("consent at validate judges for destinations only", func(t *testing.T) {
		h := newHouse(t)
		h.publish("events.raw", form("evt_1", "u_1", noConsent))
		h.shipped("validate", "stage: validate", "stage: govern")
		h.refusedToStore("ebbgate-validate")
	})
	t.Run("consent of somebody else", func(t *testing.T) {
		h := newHouse(t)
		h.publish("events.raw", form("evt_1", "u_1", yes))
		h.shipped("validate", "\noutput:\n", "    - mutation: root.subject.user_id = \"u_2\"\n\noutput:\n")
		h.refusedToStore("ebbgate-validate")
	})
	t.Run("raw copied into the validated topic", func(t *testing.T) {
		h := newHouse(t)
		h.publish("events.raw", form("evt_1", "u_1", yes))
		h.stream(h.copying("events.raw", "[]", "events.validated"))
		h.refusedToStore("wrong")
	})
	t.Run("redact removed", func(t *testing.T) {
		h := newHouse(t)
		h.publish("events.validated", form("evt_1", "u_1", yes))
		h.stream(h.govern(`[ { consent: { state: { seed_brokers: [ "${EBBGATE_BROKERS}" ] } } } ]`, "events.authorized.analytics"))
		h.drained("wrong", "events.validated")
		require.Equal(t, map[string]int{"seal.missing": 1}, h.codes())
		h.nothingAuthorized()
	})
	t.Run("raw copied into an authorized topic", func(t *testing.T) {
		h := newHouse(t)
		h.publish("events.raw", form("evt_1", "u_1", yes))
		h.stream(h.copying("events.raw", "[]", "events.authorized.analytics"))
		h.drained("wrong", "events.raw")
		require.Equal(t, map[string]int{"seal.missing": 1}, h.codes())
		h.nothingAuthorized()
	})
	t.Run("sealed bytes changed", func(t *testing.T) {
		h := newHouse(t)
		h.publish("events.validated", form("evt_1", "u_1", yes))
		h.shipped("govern", "      redact: {}\n", "      redact: {}\n    - mapping: |\n        root = this\n        root.extra = \"x\"\n")
		h.drained("ebbgate-govern", "events.validated")
		require.Equal(t, map[string]int{"seal.bytes_changed": 1}, h.codes())
		h.nothingAuthorized()
	})
	t.Run("sealed record sent to another destination", func(t *testing.T) {
		h := newHouse(t)
		h.publish("events.validated", form("evt_1", "u_1", yes))
		h.shipped("govern", "topic: ${! @topic }", "topic: events.authorized.analytics")
		h.until(func() bool { return len(h.codes()) > 0 }, "nothing was refused")
		for _, rec := range h.read("events.authorized.analytics") {
			require.Equal(t, "analytics", header(rec, "ebbgate_destination"))
		}
	})
}

// refusedToStore waits until the one raw event lies in quarantine for want of a judgement, and nowhere else.
func (h *house) refusedToStore(group string) {
	h.t.Helper()
	h.drained(group, "events.raw")
	require.Equal(h.t, map[string]int{"output.unjudged": 1}, h.codes())
	require.Empty(h.t, h.read("events.validated"))
	require.False(h.t, h.holds(secret, "events.dlq", "privacy.decisions"))
}

func (h *house) nothingAuthorized() {
	h.t.Helper()
	for _, topic := range authorized {
		require.Empty(h.t, h.read(topic), topic)
	}
	require.False(h.t, h.holds(secret, "events.dlq", "privacy.decisions"))
}

func (h *house) govern(processors, topic string) string {
	return h.copying("events.validated", processors, topic)
}

func (h *house) copying(from, processors, to string) string {
	return `
input: { redpanda: { seed_brokers: [ "${EBBGATE_BROKERS}" ], topics: [ ` + from + ` ], consumer_group: wrong } }
pipeline: { processors: ` + processors + ` }
output: { redpanda: { seed_brokers: [ "${EBBGATE_BROKERS}" ], topic: "` + to + `", key: "k" } }
`
}

// A header that says it is sealed is no seal.
func TestForgedHeadersAreNoSeal(t *testing.T) {
	h := newHouse(t)
	h.produce(&kgo.Record{Topic: "events.raw", Value: []byte(form("evt_1", "u_1", yes)), Headers: []kgo.RecordHeader{
		{Key: "ebbgate_seal", Value: []byte("s1.k1.AAAA")},
		{Key: "ebbgate_destination", Value: []byte("analytics")},
		{Key: "ebbgate", Value: []byte("true")},
		{Key: "ebbgate_quarantine", Value: []byte("true")},
	}})
	h.stream(h.copying("events.raw", "[]", "events.authorized.analytics"))
	h.drained("wrong", "events.raw")
	h.nothingAuthorized()
}
