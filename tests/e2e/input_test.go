package e2e

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/generate"
	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// hostile are inputs nobody sends by accident, with the code each must be found under. SECRET is a canary.
var hostile = []struct{ name, text, code string }{
	{"nothing at all", ``, "event.empty"},
	{"a list", `[{"email":"SECRET"}]`, "event.not_object"},
	{"a text", `"SECRET"`, "event.not_object"},
	{"no JSON", `email=SECRET`, "event.syntax"},
	{"a property of 1 MB", event(`"path":"/SECRET` + strings.Repeat("x", 1_000_000) + `"`), "event.string_too_long"},
	{"an event of 1.5 MB", event(`"path":"/SECRET","list":[` + strings.Repeat(`"0123456789",`, 120_000) + `"x"]`), "event.too_large"},
	{"10,000 properties", event(`"path":"/SECRET"` + manyProperties(10_000)), "event.too_many_keys"},
	{"1,000 levels", event(`"path":` + strings.Repeat("[", 1000) + `"SECRET"` + strings.Repeat("]", 1000)), "event.too_deep"},
	{"a far future", strings.Replace(event(`"path":"/SECRET"`), now(), "2999-12-31T23:59:59Z", 1), "envelope.future"},
	{"an ancient time", strings.Replace(event(`"path":"/SECRET"`), now(), "0001-01-01T00:00:00Z", 1), "envelope.ancient"},
	{"a time that is a number", strings.Replace(event(`"path":"/SECRET"`), `"`+now()+`"`, "1700000000", 1), "envelope.timestamp"},
	{"a day that does not exist", strings.Replace(event(`"path":"/SECRET"`), now(), "2026-02-30T00:00:00Z", 1), "envelope.timestamp"},
	{"a subject that is a text", strings.Replace(event(`"path":"/x"`), `{"user_id":"u_SECRET"}`, `"u_SECRET"`, 1), "envelope.type"},
	{"a user that is a number", strings.Replace(event(`"path":"/SECRET"`), `"u_SECRET"`, `7`, 1), "envelope.type"},
	{"properties that are a list", strings.Replace(event(`"path":"/x"`), `{"path":"/x"}`, `["SECRET"]`, 1), "envelope.type"},
	{"consent that is a text", strings.Replace(event(`"path":"/SECRET"`), yes, `"yes SECRET"`, 1), "envelope.type"},
	{"consent given as a number", strings.Replace(event(`"path":"/SECRET"`), `"analytics":true`, `"analytics":1`, 1), "consent.type"},
	{"consent given as a text", strings.Replace(event(`"path":"/SECRET"`), `"analytics":true`, `"analytics":"true"`, 1), "consent.type"},
	{"a path that is an object", event(`"path":{"email":"SECRET"}`), "contract.type"},
	{"a path as a name", strings.Replace(event(`"path":"/x"`), `"properties":`, `"properties.email":"SECRET","properties":`, 1), "event.near_name"},
	{"user_id twice", strings.Replace(event(`"path":"/x"`), `"user_id":"u_SECRET"`, `"user_id":"u_SECRET","user_\u0069d":"u_2"`, 1), "event.duplicate_name"},
}

// event is a page view whose subject is a canary.
func event(properties string) string {
	return strings.Replace(view("evt_hostile", "u_SECRET"), `"path":"/pricing"`, properties, 1)
}

func manyProperties(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, `,"p%d":"SECRET"`, i)
	}
	return out.String()
}

// place is where a record lies.
type place struct {
	topic     string
	partition int32
	offset    int64
}

// Bad input of every kind ends in quarantine under its own code, whichever stage finds it. Its neighbours are delivered. With
// the log as loud as it gets, no identifier is anywhere but in the encrypted payloads and the topics that are for them.
func TestBadInputIsQuarantinedUnderItsCodeAndNothingLeaks(t *testing.T) {
	h := newHouse(t)
	h.replace("pipelines/service.yaml", "level: INFO", "level: TRACE")
	gen, all := generated(generate.Options{Seed: 8, Count: 1500, BadShare: 0.4, MissingConsentShare: 0.05, CanaryEvery: 4})
	records := inboundRecords(all)
	for i, bad := range hostile {
		records = append(records, &kgo.Record{Topic: inbound, Key: []byte(strconv.Itoa(i)), Value: []byte(strings.NewReplacer("SECRET", secret, "evt_hostile", "evt_hostile_"+strconv.Itoa(i)).Replace(bad.text))})
	}
	h.produce(records...)
	running := h.pipelines()
	h.drained()

	want, names := map[place]string{}, map[place]string{}
	for i, rec := range records {
		at := place{rec.Topic, rec.Partition, rec.Offset}
		code, name := "", ""
		if i < len(all) {
			code, name = all[i].Expect.Code, all[i].Expect.Flaw
		} else {
			code, name = hostile[i-len(all)].code, hostile[i-len(all)].name
		}
		if code != "" {
			want[at], names[at] = code, name
		}
	}
	found := h.quarantined()
	for at, code := range want {
		assert.Equal(t, code, found[at], "%s", names[at])
	}
	require.Len(t, found, len(want))
	require.Subset(t, distinct(want), generate.Codes(), "a kind of fault was not among the events")
	require.Equal(t, deliverable(all), h.rows())

	canaries := []books.Canary{{Value: secret, Field: "hostile"}}
	for _, c := range gen.Canaries() {
		canaries = append(canaries, books.Canary{Value: c.Value, Field: c.Field})
	}
	require.Greater(t, len(canaries), 500)
	running.stop()
	require.Contains(t, running.log(), "level=trace")
	sources := []books.Source{
		books.FileSource(running.path), books.ClickHouseSource(h.conn, "events"), books.ClickHouseSource(h.conn, "ebbgate_chunks"),
	}
	for _, topic := range []string{dlq, decisions, "privacy.policies", "privacy.consent", analytics} {
		sources = append(sources, books.TopicSource(h.options, topic))
	}
	leaks, err := books.Leaks(h.ctx(), sources, canaries)
	require.NoError(t, err)
	require.Empty(t, leaks)
}

// quarantined gives the code under which each inbound record lies in quarantine. Where a later stage found the fault, the
// headers of the record it read say where that came from.
func (h *house) quarantined() map[place]string {
	h.t.Helper()
	entered := map[place]place{}
	for _, topic := range []string{raw, validated} {
		for _, rec := range h.records(topic) {
			entered[place{topic, rec.Partition, rec.Offset}] = origin(h.t, rec)
		}
	}
	found := map[place]string{}
	for _, rec := range h.records(dlq) {
		q, err := quarantine.ParseRecord(rec.Value)
		require.NoError(h.t, err)
		// What is empty, or too large to encrypt, is only referred to.
		require.True(h.t, len(q.Payload) > 0 || q.Code == "event.empty" || q.Code == "event.too_large", "%+v", q)
		at := place{q.Ref.Topic, q.Ref.Partition, q.Ref.Offset}
		if q.Ref.Topic != inbound {
			at = entered[at]
		}
		require.NotContains(h.t, found, at, "quarantined twice")
		found[at] = q.Code
	}
	return found
}

func origin(t *testing.T, rec *kgo.Record) place {
	t.Helper()
	partition, err := strconv.ParseInt(header(rec, "src_partition"), 10, 32)
	require.NoError(t, err)
	offset, err := strconv.ParseInt(header(rec, "src_offset"), 10, 64)
	require.NoError(t, err)
	return place{header(rec, "src_topic"), int32(partition), offset}
}

func distinct(codes map[place]string) []string {
	seen := map[string]bool{}
	for _, code := range codes {
		seen[code] = true
	}
	var out []string
	for code := range maps.Keys(seen) {
		out = append(out, code)
	}
	return out
}
