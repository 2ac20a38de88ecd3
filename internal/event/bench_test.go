package event_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bytedance/sonic"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
)

// marketingEvent is 1,010 bytes with 36 leaves in 4 nested objects, the event that figures are quoted for.
const marketingEvent = `{"event_name":"trial_started","event_id":"evt_01hx5k8m2n4p6q8r0s2t4v6w8y",` +
	`"timestamp":"2026-04-13T09:59:58.120Z","received_at":"2026-04-13T10:00:00.004Z",` +
	`"subject":{"user_id":"u_829104","account_id":"a_45618","anonymous_id":"5f0c7a52-8e51-4f0b-9d55-0d6a1c3f7b21"},` +
	`"consent":{"marketing":true,"analytics":true,"source":"consent_service","checked_at":"2026-04-13T10:00:00Z","version":"7"},` +
	`"context":{"source":"web_app","schema_version":"1.4.2","correlation_id":"req_7c1f09ab","ip":"203.0.113.42","user_agent":"Mozilla/5.0 (X11; Linux x86_64) Firefox/137"},` +
	`"properties":{"email":"alice@example.com","phone":"+12025550147","plan":"pro","trial_length_days":14,"amount":149.5,` +
	`"currency":"EUR","is_first_trial":true,"coupon":null,"utm_source":"newsletter","utm_medium":"email","utm_campaign":"spring_launch",` +
	`"utm_content":"hero","page_url":"https://www.example.com/pricing?plan=pro","referrer":"https://www.example.com/",` +
	`"country":"DE","language":"de-DE","seats":25,"experiment":"pricing_b","company":"Example GmbH"}}`

// benchPaths and the envelope make 60 governed paths, the size of a small team's workspace.
var benchPaths = []string{
	"consent.marketing", "consent.analytics",
	"properties.email", "properties.phone", "properties.plan", "properties.trial_length_days", "properties.amount",
	"properties.currency", "properties.is_first_trial", "properties.coupon", "properties.utm_source",
	"properties.utm_medium", "properties.utm_campaign", "properties.utm_content", "properties.page_url",
	"properties.referrer", "properties.country", "properties.language", "properties.seats", "properties.experiment",
	"properties.company", "properties.url", "properties.path", "properties.title", "properties.search", "properties.feature",
	"properties.role", "properties.invitee_email", "properties.reason", "properties.tax", "properties.invoice_id",
	"properties.subject_line", "properties.template", "properties.link", "properties.message", "properties.action",
	"properties.repository_id", "properties.sender_login", "properties.items[].sku", "properties.items[].quantity",
}

func newBenchScanner(tb testing.TB) *event.Scanner {
	dict, err := event.NewDictionary(benchPaths...)
	require.NoError(tb, err)
	return event.NewScanner(dict, event.Limits{})
}

func TestBenchmarkEventHasItsSize(t *testing.T) {
	var ix event.Index
	require.NoError(t, newBenchScanner(t).Scan([]byte(marketingEvent), &ix))
	leaves, objects := 0, 0
	for _, n := range ix.Nodes {
		if n.Kind == event.Object {
			objects++
		} else {
			leaves++
		}
	}
	require.Equal(t, []int{1010, 36, 5}, []int{len(marketingEvent), leaves, objects})
}

func BenchmarkScan(b *testing.B) {
	scanner, buf := newBenchScanner(b), []byte(marketingEvent)
	var ix event.Index
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if err := scanner.Scan(buf, &ix); err != nil {
			b.Fatal(err)
		}
	}
}

// shuffledEvents are the marketing event with its members in 64 other orders: the scanner can foresee none of the names.
func shuffledEvents(tb testing.TB) [][]byte {
	var ix event.Index
	require.NoError(tb, newBenchScanner(tb).Scan([]byte(marketingEvent), &ix))
	random := rand.New(rand.NewPCG(1, 2))
	var shuffle func(dst []byte, v event.Value) []byte
	shuffle = func(dst []byte, v event.Value) []byte {
		if v.Kind() != event.Object {
			return event.AppendValue(dst, v)
		}
		var members [][]byte
		v.Each(func(child event.Value) bool {
			members = append(members, shuffle(append(event.AppendKey(nil, child), ':'), child))
			return true
		})
		random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		return append(append(append(dst, '{'), bytes.Join(members, []byte(","))...), '}')
	}
	var events [][]byte
	for range 64 {
		events = append(events, shuffle(nil, ix.Root()))
	}
	return events
}

func benchmarkEvents(b *testing.B, scanner *event.Scanner, events [][]byte) {
	var ix event.Index
	at := 0
	b.SetBytes(int64(len(marketingEvent)))
	b.ReportAllocs()
	for b.Loop() {
		if err := scanner.Scan(events[at], &ix); err != nil {
			b.Fatal(err)
		}
		if at++; at == len(events) {
			at = 0
		}
	}
}

func BenchmarkScanShuffled(b *testing.B) {
	benchmarkEvents(b, newBenchScanner(b), shuffledEvents(b))
}

// BenchmarkSonicValidShuffled is what to compare it with: no order of lengths and types that a processor could learn.
func BenchmarkSonicValidShuffled(b *testing.B) {
	events, at := shuffledEvents(b), 0
	b.SetBytes(int64(len(marketingEvent)))
	for b.Loop() {
		if !sonic.Valid(events[at]) {
			b.Fatal("not valid")
		}
		if at++; at == len(events) {
			at = 0
		}
	}
}

// BenchmarkScanAmongOthers reads three kinds of event in turn, whose property lists only partly agree.
func BenchmarkScanAmongOthers(b *testing.B) {
	others := []string{marketingEvent, marketingEvent, marketingEvent}
	for i, drop := range [][]string{{"email", "plan", "coupon", "utm_content"}, {"phone", "utm_source", "seats", "language"}} {
		for _, name := range drop {
			others[i+1] = strings.Replace(others[i+1], `"`+name+`":`, `"own_`+name+`":`, 1)
		}
	}
	benchmarkEvents(b, newBenchScanner(b), [][]byte{[]byte(others[0]), []byte(others[1]), []byte(others[2])})
}

func BenchmarkArenaScan(b *testing.B) {
	scanner, buf := newBenchScanner(b), []byte(marketingEvent)
	var arena event.Arena
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := arena.Scan(scanner, buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScanUndeclared(b *testing.B) {
	dict, err := event.NewDictionary()
	require.NoError(b, err)
	scanner, buf := event.NewScanner(dict, event.Limits{}), []byte(marketingEvent)
	var ix event.Index
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if err := scanner.Scan(buf, &ix); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSonicValid(b *testing.B) {
	buf := []byte(marketingEvent)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if !sonic.Valid(buf) {
			b.Fatal("not valid")
		}
	}
}

func BenchmarkEncodingJSONValid(b *testing.B) {
	buf := []byte(marketingEvent)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if !json.Valid(buf) {
			b.Fatal("not valid")
		}
	}
}

func BenchmarkAppendValue(b *testing.B) {
	var ix event.Index
	require.NoError(b, newBenchScanner(b).Scan([]byte(marketingEvent), &ix))
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = event.AppendValue(out[:0], ix.Root())
	}
}

func BenchmarkParseTime(b *testing.B) {
	text := []byte("2026-04-13T09:59:58.120Z")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := event.ParseTime(text); !ok {
			b.Fatal("not a time")
		}
	}
}

func BenchmarkCheckEnvelope(b *testing.B) {
	var ix event.Index
	require.NoError(b, newBenchScanner(b).Scan([]byte(marketingEvent), &ix))
	now := time.Date(2026, 4, 13, 10, 0, 1, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		if fault := event.CheckEnvelope(&ix, now, event.TimeLimits{}); fault != nil {
			b.Fatal(fault)
		}
	}
}
